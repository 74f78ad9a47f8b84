import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { decodeBase64Url } from './base64url.ts';
import type { PublicJwk } from './signing-keys.ts';
import { canVerify } from './verify-jwt.ts';

/**
 * What signs or verifies webhooks: a shared secret (`whsec_`, signature v1), or one half of an Ed25519 pair
 * (`whsk_` and `whpk_`, signature v1a).
 */
export type WebhookSecret =
  | { readonly scheme: 'v1'; readonly key: Uint8Array }
  | { readonly scheme: 'v1a'; readonly half: 'private'; readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  | { readonly scheme: 'v1a'; readonly half: 'public'; readonly publicKey: KeyObject };

const form = /^(whsec|whsk|whpk)_([A-Za-z0-9+/]+={0,2})$/;

const ed25519Private = (seed: Uint8Array): KeyObject =>
  createPrivateKey({
    // RFC 8410 §7: the fixed head of a PKCS #8 Ed25519 key, then its 32-byte seed.
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

const ed25519Public = (bytes: Buffer): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });

const publicBytes = (key: KeyObject): Buffer => Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');

/** A new shared secret: `whsec_` and 32 random bytes in base64. */
export const createWebhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** A new Ed25519 pair: `whsk_` and 64 bytes (seed, public key) for the sender, `whpk_` and 32 bytes for the receiver, in base64. */
export const createWebhookKeyPair = (): { readonly secretKey: string; readonly publicKey: string } => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  const open = publicBytes(privateKey);
  return { secretKey: `whsk_${Buffer.concat([seed, open]).toString('base64')}`, publicKey: `whpk_${open.toString('base64')}` };
};

const parsePrivate = (bytes: Buffer): WebhookSecret | null => {
  if (bytes.byteLength !== 64) return null;
  const privateKey = ed25519Private(bytes.subarray(0, 32));
  // A pair whose halves disagree would make signatures that nobody can verify.
  if (!publicBytes(privateKey).equals(bytes.subarray(32))) return null;
  return { scheme: 'v1a', half: 'private', privateKey, publicKey: createPublicKey(privateKey) };
};

/**
 * Reads a secret in the form of Standard Webhooks, or answers null: `whsec_` with 24 to 64 bytes, `whsk_` with 64, `whpk_` with 32,
 * in padded base64 of exactly one spelling.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const parseWebhookSecret = (text: string): WebhookSecret | null => {
  const [, prefix, encoded = ''] = form.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return null;
  switch (prefix) {
    case 'whsec':
      return bytes.byteLength >= 24 && bytes.byteLength <= 64 ? { scheme: 'v1', key: bytes } : null;
    case 'whsk':
      return parsePrivate(bytes);
    case 'whpk':
      return bytes.byteLength === 32 ? { scheme: 'v1a', half: 'public', publicKey: ed25519Public(bytes) } : null;
    default:
      return null;
  }
};

/**
 * The public half of an Ed25519 secret (`whsk_`), as a JWK set shows it.
 *
 * @throws RangeError for any other secret; its text is in no message.
 */
export const webhookPublicJwk = ({ secret, kid }: { readonly secret: string; readonly kid: string }): PublicJwk => {
  const parsed = parseWebhookSecret(secret);
  if (parsed?.scheme !== 'v1a') throw new RangeError('only a key of Ed25519 has a public half');
  const { x = '' } = parsed.publicKey.export({ format: 'jwk' });
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' };
};

/** The public key of a JWK that may verify webhooks: Ed25519, for signatures, of no other algorithm. Null for any other. */
export const readWebhookKey = (jwk: PublicJwk): WebhookSecret | null => {
  if (jwk.kty !== 'OKP' || !canVerify(jwk)) return null;
  // RFC 9864 names the curve of `EdDSA`.
  if (jwk.alg !== undefined && jwk.alg !== 'EdDSA' && jwk.alg !== 'Ed25519') return null;
  const bytes = decodeBase64Url(jwk.x ?? '');
  return bytes?.byteLength === 32 ? { scheme: 'v1a', half: 'public', publicKey: ed25519Public(bytes) } : null;
};
