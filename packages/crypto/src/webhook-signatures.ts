import { createHmac, sign, verify } from 'node:crypto';
import { constantTimeEqualBytes } from './constant-time.ts';
import type { SigningKey } from './signing-keys.ts';
import { parseWebhookSecret, type WebhookSecret } from './webhook-secrets.ts';

/** The three headers as a receiver got them. */
type WebhookHeaders = { readonly id: string; readonly timestamp: string; readonly signature: string };

// The parts are joined by full stops, so the id may hold none: otherwise two messages could be signed alike.
const idForm = /^[A-Za-z0-9_-]{1,128}$/;
const timestampForm = /^(0|[1-9]\d{0,11})$/;
const defaultToleranceSeconds = 300;
// More than any rotation needs; the list comes from whoever sent the request.
const signatureLimit = 16;

const content = (id: string, timestamp: string, body: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${id}.${timestamp}.`, 'utf8'), typeof body === 'string' ? Buffer.from(body, 'utf8') : body]);

const requireSecret = (text: string): WebhookSecret => {
  const secret = parseWebhookSecret(text);
  // The text is a secret: the message must not hold it.
  if (secret === null) throw new RangeError('a webhook secret is not in the form of Standard Webhooks');
  return secret;
};

const hmac = (key: Uint8Array, message: Buffer): Buffer => createHmac('sha256', key).update(message).digest();

const signWith = (secret: WebhookSecret, message: Buffer): string => {
  if (secret.scheme === 'v1') return `v1,${hmac(secret.key, message).toString('base64')}`;
  if (secret.half === 'public') throw new RangeError('a public webhook key cannot sign');
  return `v1a,${sign(null, message, secret.privateKey).toString('base64')}`;
};

/** Whether a signature of its scheme, as bytes, is this secret's. */
const judgeOf = (secret: WebhookSecret, message: Buffer): ((bytes: Buffer) => boolean) => {
  if (secret.scheme === 'v1a') return (bytes) => verify(null, message, secret.publicKey, bytes);
  // Once a message, however many signatures somebody lists.
  const expected = hmac(secret.key, message);
  return (bytes) => constantTimeEqualBytes(expected, bytes);
};

/** Null for any spelling of base64 but one: other libraries compare the text, and none may accept what another refuses. */
const decodeSignature = (text: string): Buffer | null => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
};

const signWithKey = ({ alg, kid, privateKey }: SigningKey, message: Buffer): string => {
  if (alg !== 'EdDSA') throw new RangeError(`key ${kid} is one for ${alg}: webhooks are signed with Ed25519`);
  return `v1a,${sign(null, message, privateKey).toString('base64')}`;
};

/**
 * The `webhook-signature` header of one attempt: a signature for each secret, in their order, separated by spaces.
 * During a rotation give the new secret and the old one.
 *
 * @param message.timestampSeconds the attempt's time, seconds since the epoch, as `webhook-timestamp` says it.
 * @param message.secrets `whsec_` or `whsk_`, at least one.
 * @param message.keys Ed25519 keys of a platform, whose signatures come after the secrets' own.
 * @throws RangeError for an id not of `[A-Za-z0-9_-]`, a fractional time, or a secret that cannot sign.
 */
export const signWebhook = (message: {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string | Uint8Array;
  readonly secrets: readonly string[];
  readonly keys?: readonly SigningKey[];
}): string => {
  const timestamp = String(message.timestampSeconds);
  if (!idForm.test(message.id)) throw new RangeError('a webhook id has 1 to 128 characters of [A-Za-z0-9_-]');
  if (!timestampForm.test(timestamp)) throw new RangeError(`${timestamp} is not a time in whole seconds`);
  if (message.secrets.length === 0) throw new RangeError('a webhook needs a secret to be signed with');
  const signed = content(message.id, timestamp, message.body);
  return [
    ...message.secrets.map((text) => signWith(requireSecret(text), signed)),
    ...(message.keys ?? []).map((key) => signWithKey(key, signed)),
  ].join(' ');
};

/** Why a webhook was refused. For logs; what the sender is told is the caller's choice. */
export type WebhookRefusal = 'malformed_id' | 'malformed_timestamp' | 'too_old' | 'too_new' | 'no_matching_signature';

export type WebhookVerification =
  | { readonly outcome: 'verified'; readonly timestampSeconds: number }
  | { readonly outcome: 'refused'; readonly reason: WebhookRefusal };

const refused = (reason: WebhookRefusal): WebhookVerification => ({ outcome: 'refused', reason });

/**
 * Whether one of these secrets signed this message within the tolerance (300 s either way unless given). Constant time per signature;
 * of a longer list the first 16 signatures are looked at. The receiver still has to drop an id that it has seen before.
 *
 * @param message.body the bytes as received, before any parse.
 * @param message.secrets of a pair either half will do.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const verifyWebhook = (
  message: WebhookHeaders & {
    readonly body: string | Uint8Array;
    readonly secrets: readonly WebhookSecret[];
    readonly nowSeconds: number;
    readonly toleranceSeconds?: number;
  },
): WebhookVerification => {
  const { id, timestamp, body, toleranceSeconds = defaultToleranceSeconds } = message;
  if (!idForm.test(id)) return refused('malformed_id');
  if (!timestampForm.test(timestamp)) return refused('malformed_timestamp');
  const timestampSeconds = Number(timestamp);
  const age = message.nowSeconds - timestampSeconds;
  // In the affirmative, so that a clock that is no number accepts nothing.
  if (!(age <= toleranceSeconds)) return refused('too_old');
  if (!(age >= -toleranceSeconds)) return refused('too_new');
  const signed = content(id, timestamp, body);
  const judges = message.secrets.map((secret) => ({ scheme: secret.scheme, isGood: judgeOf(secret, signed) }));
  const isSigned = message.signature
    .split(' ', signatureLimit)
    .map((each) => each.split(',', 2))
    .some(([scheme, encoded = '']) => {
      const bytes = decodeSignature(encoded);
      return bytes !== null && judges.some((judge) => judge.scheme === scheme && judge.isGood(bytes));
    });
  return isSigned ? { outcome: 'verified', timestampSeconds } : refused('no_matching_signature');
};
