import { canVerify, constantTimeEqual, type JwtRefusal, type PublicJwk, verifiableAlgs, verifyJwt } from '@grantlog/crypto';
import type { OnProblem } from '../problem.ts';
import { readBody, type WebhookBody } from '../receiving/body.ts';
import { readHeader, type WebhookHeaders } from '../receiving/headers.ts';
import { readJwksUri } from '../receiving/jwks-uri.ts';
import { createKeySet, type FindKey } from '../receiving/key-set.ts';
import { readEvent } from './event.ts';
import type { ReceiverSettings } from './options.ts';
import type { SecurityEventRefused, SecurityEventVerified } from './outcome.ts';
import { refuse, type SecurityEventRefusalReason } from './refusals.ts';
import { readUnproved } from './unproved.ts';

/** A security event token as it was pushed. */
export type ReceivedSecurityEvent = { readonly headers: WebhookHeaders; readonly body: WebhookBody };

export type VerifySecurityEvent = (received: ReceivedSecurityEvent) => Promise<SecurityEventVerified | SecurityEventRefused>;

const reasons: Readonly<Record<JwtRefusal, SecurityEventRefusalReason>> = {
  malformed: 'malformed_token',
  critical_header: 'malformed_token',
  wrong_type: 'other_type',
  algorithm_not_allowed: 'other_algorithm',
  no_matching_key: 'unknown_key',
  bad_signature: 'bad_signature',
  wrong_issuer: 'other_issuer',
  wrong_audience: 'other_audience',
  no_expiry: 'unexpected_claims',
  expired: 'unexpected_claims',
  not_yet_valid: 'unexpected_claims',
};

const checkHeaders = (headers: WebhookHeaders, authorizations: readonly string[]): SecurityEventRefused | null => {
  const contentType = readHeader(headers, 'content-type');
  if (contentType.kind === 'repeated') return refuse('repeated_header');
  if (contentType.kind === 'none' || !/^application\/secevent\+jwt *(;|$)/i.test(contentType.value)) return refuse('other_media_type');
  if (authorizations.length === 0) return null;
  const shown = readHeader(headers, 'authorization');
  if (shown.kind === 'repeated') return refuse('repeated_header');
  const isTaken = shown.kind === 'one' && authorizations.some((each) => constantTimeEqual(each, shown.value));
  return isTaken ? null : refuse('other_authorization');
};

/** A token is verified by a key of its issuer that it names, and by what it is: `typ` keeps every other JWT of the issuer away. */
const verifyToken = async (
  settings: ReceiverSettings,
  findKey: FindKey<PublicJwk>,
  jwt: string,
): Promise<SecurityEventVerified | SecurityEventRefused> => {
  const { issuer, audience, now } = settings;
  const unproved = readUnproved(jwt);
  if (unproved === null) return refuse('malformed_token');
  // Another issuer has other keys: ours are not asked for, and it is told what is wrong.
  if (unproved.issuer !== issuer) return refuse('other_issuer');
  if (unproved.keyId === null) return refuse('unknown_key');
  const found = await findKey(unproved.keyId);
  if (found.kind === 'unavailable') return refuse('keys_unavailable');
  const keys = found.kind === 'key' ? [{ ...found.key, kid: unproved.keyId }] : [];
  const verified = await verifyJwt({
    jwt,
    keys,
    typ: 'secevent+jwt',
    algs: verifiableAlgs,
    issuer,
    audience,
    now: now(),
    // What has happened does not expire (RFC 8417 §2.2).
    ignoreExpiry: true,
  });
  if (verified.outcome === 'refused') return refuse(reasons[verified.reason]);
  const event = readEvent(verified.claims);
  return event === null ? refuse('unexpected_claims') : { kind: 'verified', event };
};

/**
 * Verifies one security event token at a time: the headers, the body's size, the token's issuer, key, algorithm, type, signature
 * and audience, and last what it says, of which nothing is believed before.
 *
 * @see RFC 8417 §4, RFC 8935 §2
 */
export const createVerify = (settings: ReceiverSettings, report: OnProblem): VerifySecurityEvent => {
  const findKey = createKeySet<PublicJwk>(settings, report, {
    locate: () => readJwksUri(settings, report),
    readKey: (jwk) => (canVerify(jwk) ? jwk : null),
  });

  return async ({ headers, body }) => {
    const refused = checkHeaders(headers, settings.authorizations);
    if (refused !== null) return refused;
    const read = await readBody(body, settings.maxBodyBytes);
    if (read.kind === 'too_large') return refuse('body_too_large');
    if (read.kind === 'unreadable') return refuse('unreadable_body');
    return verifyToken(settings, findKey, Buffer.from(read.bytes).toString('latin1'));
  };
};
