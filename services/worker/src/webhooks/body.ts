import type { JsonObject } from '@grantlog/eventsourcing';

/**
 * The body of a delivery. `data` carries `sequence` (the stream's version) and `position`, so that a receiver can put
 * what it gets in order and see what it lacks.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const renderBody = (message: { readonly type: string; readonly recordedAt: number; readonly data: JsonObject }): string =>
  JSON.stringify({ type: message.type, timestamp: new Date(message.recordedAt).toISOString(), data: message.data });
