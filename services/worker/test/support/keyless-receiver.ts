import type { PublicJwk } from '@grantlog/crypto';
import type { Received } from './receiver.ts';

/** What a receiver knows that keeps nothing: its own URL, its token, and the platform's keys by their `kid`. */
export type Keyless = {
  readonly url: string;
  readonly token: string | null;
  readonly keyOf: (kid: string) => Promise<PublicJwk | undefined>;
};

const tolerance = 300;

/** The raw key behind a `whpk_`, as a JWK. */
export const jwkOfWhpk = (whpk: string): PublicJwk => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Uint8Array.fromBase64(whpk.slice('whpk_'.length)).toBase64({ alphabet: 'base64url', omitPadding: true }),
});

/** Whether one of a message's `v1a` signatures is of this key: with nothing but Web Crypto. */
export const isSignedBy = async (jwk: PublicJwk, request: Received): Promise<boolean> => {
  const { kty = '', crv = '', x = '' } = jwk;
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, { name: 'Ed25519' }, false, ['verify']);
  const message = new TextEncoder().encode(`${request.headers['webhook-id']}.${request.headers['webhook-timestamp']}.${request.text}`);
  for (const each of String(request.headers['webhook-signature']).split(' ')) {
    if (!each.startsWith('v1a,')) continue;
    if (await crypto.subtle.verify({ name: 'Ed25519' }, key, Uint8Array.fromBase64(each.slice(4)), message)) return true;
  }
  return false;
};

/** What such a receiver refuses a message for, or null: the steps in the order that the documentation gives them. */
export const refuses = async (agent: Keyless, request: Received): Promise<string | null> => {
  if (agent.token !== null && request.headers.authorization !== `Bearer ${agent.token}`) return 'another token';
  if (Math.abs(Date.now() / 1000 - Number(request.headers['webhook-timestamp'])) > tolerance) return 'too old';
  const jwk = await agent.keyOf(String(request.headers['webhook-key-id']));
  if (jwk === undefined) return 'no such key';
  if (!(await isSignedBy(jwk, request))) return 'another signature';
  return request.body.data['audience'] === agent.url ? null : 'another audience';
};
