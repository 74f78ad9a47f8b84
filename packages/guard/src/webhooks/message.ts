import { isCount, isText } from '../members.ts';

type Json = Readonly<Record<string, unknown>>;

/** What one webhook says, of which everything but `timestamp` is the same at every attempt. */
export type WebhookMessage = {
  /** The same at every attempt: what to know a repeat by. */
  readonly id: string;
  /** Such as `grant.revoked`; leave one alone that you do not know. */
  readonly type: string;
  /** When this attempt was made, in Unix seconds. */
  readonly timestamp: number;
  /** When it happened. */
  readonly occurredAt: Date;
  readonly data: Json;
  /** Counts what happened to this one grant, session, account, client or endpoint: put what you get of one in order by it. */
  readonly sequence: number;
  /** Counts what happened on the whole platform. */
  readonly position: number;
};

const typeForm = /^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$/;
const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? { ...value } : {});

const parse = (bytes: Uint8Array): Json => {
  try {
    return objectOf(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch {
    return {};
  }
};

/** Reads what was signed; null where that is not a webhook of this protocol. */
export const readMessage = (attempt: {
  readonly id: string;
  readonly timestamp: number;
  readonly bytes: Uint8Array;
}): WebhookMessage | null => {
  const { type, timestamp, data: told } = parse(attempt.bytes);
  const data = objectOf(told);
  const { sequence, position } = data;
  if (!isText(type) || !typeForm.test(type)) return null;
  if (!isText(timestamp) || !instantForm.test(timestamp)) return null;
  const occurredAt = new Date(timestamp);
  if (Number.isNaN(occurredAt.getTime())) return null;
  if (!isCount(sequence) || !isCount(position)) return null;
  return { id: attempt.id, type, timestamp: attempt.timestamp, occurredAt, data, sequence, position };
};
