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

const accepts = (secret: WebhookSecret, message: Buffer, signature: string): boolean => {
  const [scheme, encoded = ''] = signature.split(',', 2);
  if (scheme !== secret.scheme) return false;
  const bytes = Buffer.from(encoded, 'base64');
  return secret.scheme === 'v1' ? constantTimeEqualBytes(hmac(secret.key, message), bytes) : verify(null, message, secret.publicKey, bytes);
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

/**
 * Whether one of these secrets signed this message within the tolerance (300 s either way unless given). Constant time per signature.
 * The receiver still has to drop an id that it has seen before.
 *
 * @param message.body the bytes as received, before any parse.
 * @param message.secrets `whsec_`, `whpk_` or `whsk_`.
 * @throws RangeError for a secret that is none.
 */
export const verifyWebhook = (
  message: WebhookHeaders & {
    readonly body: string | Uint8Array;
    readonly secrets: readonly string[];
    readonly nowSeconds: number;
    readonly toleranceSeconds?: number;
  },
): boolean => {
  const secrets = message.secrets.map(requireSecret);
  if (!idForm.test(message.id) || !timestampForm.test(message.timestamp)) return false;
  const age = message.nowSeconds - Number(message.timestamp);
  if (!(Math.abs(age) <= (message.toleranceSeconds ?? defaultToleranceSeconds))) return false;
  const signed = content(message.id, message.timestamp, message.body);
  const signatures = message.signature.split(' ').slice(0, signatureLimit);
  return signatures.some((signature) => secrets.some((secret) => accepts(secret, signed, signature)));
};
