import type { JsonObject } from '@grantlog/eventsourcing';

type Body = { readonly type: string; readonly timestamp: string; readonly data: JsonObject };

/**
 * The body of a delivery. `data` carries `sequence` (the stream's version) and `position`, so that a receiver can put
 * what it gets in order and see what it lacks.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const renderBody = (message: { readonly type: string; readonly recordedAt: number; readonly data: JsonObject }): string =>
  JSON.stringify({ type: message.type, timestamp: new Date(message.recordedAt).toISOString(), data: message.data } satisfies Body);

/**
 * A body with what its endpoint wants repeated among its data. For the moment of sending: what is kept never has it, and
 * what is fixed about the event wins over a member of the same name.
 */
export const withEcho = (body: string, echo: JsonObject): string => {
  if (Object.keys(echo).length === 0) return body;
  // Rendered by `renderBody`.
  const { data, ...message } = JSON.parse(body) as Body;
  return JSON.stringify({ ...message, data: { ...echo, ...data } });
};
