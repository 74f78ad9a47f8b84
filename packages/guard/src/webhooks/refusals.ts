import type { WebhookRefusal } from '@grantlog/crypto';
import type { HeaderList } from '../outcome.ts';
import type { WebhookRefused } from './outcome.ts';

/** Why a webhook is not acted on; also the `error` of the body. */
export type WebhookRefusalReason =
  | WebhookRefusal
  | 'missing_header'
  | 'repeated_header'
  | 'missing_key_id'
  | 'invalid_token'
  | 'unknown_key'
  | 'body_too_large'
  | 'unreadable_body'
  | 'unexpected_body'
  | 'other_audience'
  | 'keys_unavailable'
  | 'in_progress'
  | 'not_remembered';

export type WebhookRefusalStatus = 400 | 401 | 403 | 413 | 503;

const soon: HeaderList = [['Retry-After', '10']];

/** 403 is for what a receiver knows a webhook by, 401 for the token alone: RFC 9110 §15.5.2 wants a challenge, and signatures have none. */
const answers: Readonly<Record<WebhookRefusalReason, readonly [status: WebhookRefusalStatus, description: string, headers?: HeaderList]>> =
  {
    missing_header: [400, 'The headers webhook-id, webhook-timestamp and webhook-signature are required'],
    repeated_header: [400, 'A header that a webhook is verified by came more than once'],
    malformed_id: [400, 'webhook-id must have 1 to 128 characters of A-Z, a-z, 0-9, _ and -'],
    malformed_timestamp: [400, 'webhook-timestamp must be a whole number of seconds since 1970'],
    missing_key_id: [400, 'The header webhook-key-id is required: this receiver verifies by a key set'],
    invalid_token: [
      401,
      'The Authorization header must be Bearer with the webhookToken of this receiver',
      [['WWW-Authenticate', 'Bearer']],
    ],
    too_old: [403, 'webhook-timestamp is too long ago by the clock of this receiver'],
    too_new: [403, 'webhook-timestamp is in the future by the clock of this receiver'],
    unknown_key: [403, 'webhook-key-id names no Ed25519 key in the key set that this receiver verifies by'],
    no_matching_signature: [403, 'No signature in webhook-signature is by a key of this receiver, for this id, time and body'],
    other_audience: [403, 'data.audience is not this receiver'],
    // What is left of the body is not read, so the connection is of no more use.
    body_too_large: [413, 'The body is larger than this receiver takes', [['Connection', 'close']]],
    unreadable_body: [400, 'The body ended early'],
    unexpected_body: [400, 'The body is signed, and yet no JSON with type, timestamp and data with sequence and position'],
    keys_unavailable: [503, 'The key set cannot be read at the moment', soon],
    in_progress: [503, 'This webhook is being handled at the moment', soon],
    not_remembered: [503, 'Whether this webhook was handled cannot be told at the moment', soon],
  };

export const refuse = (reason: WebhookRefusalReason): WebhookRefused => {
  const [status, error_description, headers = []] = answers[reason];
  return { kind: 'refused', reason, status, headers, body: { error: reason, error_description } };
};
