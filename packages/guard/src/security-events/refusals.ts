import { verifiableAlgs } from '@grantlog/crypto';
import type { HeaderList } from '../outcome.ts';
import type { SecurityEventErrorBody, SecurityEventRefused } from './outcome.ts';

/** The words of RFC 8935 §2.4 that this receiver says. */
export type SecurityEventError = 'invalid_request' | 'invalid_key' | 'invalid_issuer' | 'invalid_audience' | 'authentication_failed';

/** Why a security event is not acted on. For logs: what the transmitter is told is `err`. */
export type SecurityEventRefusalReason =
  | 'repeated_header'
  | 'other_media_type'
  | 'other_authorization'
  | 'body_too_large'
  | 'unreadable_body'
  | 'malformed_token'
  | 'other_type'
  | 'other_issuer'
  | 'unknown_key'
  | 'other_algorithm'
  | 'bad_signature'
  | 'other_audience'
  | 'unexpected_claims'
  | 'keys_unavailable'
  | 'in_progress'
  | 'not_remembered';

/** Where RFC 8935 has a word the status is 400; the others are errors of HTTP, which have no body. */
type Answer = SecurityEventErrorBody | { readonly status: 413 | 503; readonly headers: HeaderList };

const says = (err: SecurityEventError, description: string): SecurityEventErrorBody => ({ err, description });
const later: Answer = { status: 503, headers: [['Retry-After', '10']] };

const answers: Readonly<Record<SecurityEventRefusalReason, Answer>> = {
  repeated_header: says('invalid_request', 'Content-Type or Authorization came more than once'),
  other_media_type: says('invalid_request', 'The Content-Type must be application/secevent+jwt'),
  other_authorization: says('authentication_failed', 'The Authorization header is not the one that this receiver has asked for'),
  // What is left of the body is not read, so the connection is of no more use.
  body_too_large: { status: 413, headers: [['Connection', 'close']] },
  unreadable_body: says('invalid_request', 'The body ended early'),
  malformed_token: says('invalid_request', 'The body must be a signed JWT in compact form, without critical headers'),
  other_type: says('invalid_request', 'The typ of the token must be secevent+jwt'),
  other_issuer: says('invalid_issuer', 'The iss of the token is not the issuer that this receiver takes events of'),
  unknown_key: says('invalid_key', 'The kid of the token names no key of its algorithm in the key set of the issuer'),
  other_algorithm: says('invalid_key', `The alg of the token must be one of ${verifiableAlgs.join(', ')}`),
  bad_signature: says('authentication_failed', 'The signature is not by the key that the token names'),
  other_audience: says('invalid_audience', 'The aud of the token does not name this receiver'),
  unexpected_claims: says('invalid_request', 'The token must have jti, iat and events with exactly one event'),
  keys_unavailable: later,
  in_progress: later,
  not_remembered: later,
};

/** RFC 8935 §2.3: descriptions say which language they are in. */
const inEnglish: HeaderList = [['Content-Language', 'en']];

export const refuse = (reason: SecurityEventRefusalReason): SecurityEventRefused => {
  const answer = answers[reason];
  return 'err' in answer
    ? { kind: 'refused', reason, status: 400, headers: inEnglish, body: answer }
    : { kind: 'refused', reason, ...answer, body: null };
};
