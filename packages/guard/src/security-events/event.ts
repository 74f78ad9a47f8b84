import type { JwtClaims } from '@grantlog/crypto';
import { isText } from '../members.ts';

type Json = Readonly<Record<string, unknown>>;

/** What one security event token says, the same at every attempt. */
export type SecurityEvent = {
  /** The `jti`: the same at every attempt, and of no other token of its issuer. */
  readonly id: string;
  /** The URI that names the event, such as `https://schemas.openid.net/secevent/caep/event-type/session-revoked`; leave one alone that you do not know. */
  readonly type: string;
  /** Whom or what it is about (`sub_id`, RFC 9493); null where it does not say. */
  readonly subject: Json | null;
  /** What it says, in the words of its type. */
  readonly payload: Json;
  /** When the token was made (`iat`). */
  readonly issuedAt: Date;
  /** What tokens of one cause have in common (`txn`); null where it has none. */
  readonly transaction: string | null;
};

/** What any store of ids can hold. */
const idForm = /^[\x20-\x7e]{1,256}$/;

// A JSON object has text keys and any values; arrays and null are told apart before.
const objectOf = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;

const instantOf = (value: unknown): Date | null => {
  const instant = new Date(typeof value === 'number' ? value * 1000 : Number.NaN);
  return Number.isNaN(instant.getTime()) ? null : instant;
};

/** The only event of a token: several would be one jti for what may be handled in part (SSF 1.0 §4.1.6). */
const onlyEvent = (events: unknown): Pick<SecurityEvent, 'type' | 'payload'> | null => {
  const [told, ...others] = Object.entries(objectOf(events) ?? {});
  if (told === undefined || others.length > 0) return null;
  const [type, said] = told;
  const payload = objectOf(said);
  return payload === null || !URL.canParse(type) ? null : { type, payload };
};

/**
 * Reads claims whose signature is verified; null where they are not those of a security event token with one event.
 *
 * @see RFC 8417 §2.2
 */
export const readEvent = ({ jti, iat, events, sub_id, txn }: JwtClaims): SecurityEvent | null => {
  const event = onlyEvent(events);
  const issuedAt = instantOf(iat);
  const subject = objectOf(sub_id);
  if (event === null || issuedAt === null) return null;
  if (!isText(jti) || !idForm.test(jti)) return null;
  if (sub_id !== undefined && subject === null) return null;
  return { id: jti, ...event, subject, issuedAt, transaction: isText(txn) ? txn : null };
};
