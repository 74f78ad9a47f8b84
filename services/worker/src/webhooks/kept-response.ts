import type { EgressOutcome } from '@grantlog/egress';

/** Bytes of a receiver's answer that are kept. */
const keptBytes = 4_096;
/** Bytes that are read: more than is kept, as what is redacted becomes shorter. */
const readBytes = 2 * keptBytes;

const decoder = new TextDecoder();

/**
 * The beginning of what a receiver answered, as text, for whoever looks after the endpoint. Where the receiver repeats what
 * it was sent, no secret of it is kept; null where it answered nothing.
 */
export const keptResponse = (answer: EgressOutcome, secrets: readonly string[]): string | null => {
  if (answer.kind !== 'response' || answer.body.byteLength === 0) return null;
  // A database takes no NUL in a text.
  const text = decoder.decode(answer.body.subarray(0, readBytes)).replaceAll('\0', '\uFFFD');
  // The longest first, for one may be the beginning of another; what is empty would be found everywhere.
  const known = secrets.filter((secret) => secret !== '').toSorted((one, other) => other.length - one.length);
  const redacted = known.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text);
  // What was not read may be the rest of a secret, and only whole ones are recognised.
  const unsure = answer.body.byteLength > readBytes ? (known[0]?.length ?? 0) : 0;
  const clean = redacted.slice(0, Math.max(0, redacted.length - unsure));
  return clean.length <= keptBytes / 4 ? clean : decoder.decode(Buffer.from(clean).subarray(0, keptBytes));
};
