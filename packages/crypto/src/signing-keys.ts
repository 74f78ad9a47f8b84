import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';

/** The algorithms that Grantlog signs and verifies JWTs with; everything else, `none` above all, is refused. `EdDSA` is Ed25519. */
export const signingAlgs = ['RS256', 'ES256', 'EdDSA'] as const;
export type SigningAlg = (typeof signingAlgs)[number];

/** A public key as `jwks.json` serves it. */
export type PublicJwk = {
  readonly kty: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
};

/** A key ready to sign; import once, keep it. Serialising it yields nothing secret. */
export type SigningKey = {
  readonly alg: SigningAlg;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: PublicJwk;
};

export type GeneratedSigningKey = {
  readonly alg: SigningAlg;
  /** The RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  /** The private key, DER. Seal it before it goes anywhere. */
  readonly pkcs8: Uint8Array;
};

const generate = promisify(generateKeyPair);

const generatePrivateKey = async (alg: SigningAlg): Promise<KeyObject> => {
  switch (alg) {
    case 'RS256':
      return (await generate('rsa', { modulusLength: 2048 })).privateKey;
    case 'ES256':
      return (await generate('ec', { namedCurve: 'P-256' })).privateKey;
    case 'EdDSA':
      return (await generate('ed25519')).privateKey;
  }
};

const fits = (alg: SigningAlg, key: KeyObject): boolean => {
  switch (alg) {
    case 'RS256':
      // RFC 7518 §3.3: 2048 bits or more.
      return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
    case 'ES256':
      return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    case 'EdDSA':
      return key.asymmetricKeyType === 'ed25519';
  }
};

/** A new key pair, made off the event loop (RS256 takes 50 ms to a second). RSA keys have 2,048 bits. */
export const generateSigningKey = async (alg: SigningAlg): Promise<GeneratedSigningKey> => {
  const privateKey = await generatePrivateKey(alg);
  // Node's JsonWebKey types every member as optional; an exported public key always has its `kty`.
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as PublicJwk;
  const kid = await calculateJwkThumbprint(jwk);
  return { alg, kid, publicJwk: { ...jwk, kid, alg, use: 'sig' }, pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }) };
};

/**
 * Makes a stored key ready to sign.
 *
 * @throws RangeError when the key is not one for this algorithm, or an RSA key is shorter than 2,048 bits.
 */
export const importSigningKey = (stored: { readonly alg: SigningAlg; readonly kid: string; readonly pkcs8: Uint8Array }): SigningKey => {
  const privateKey = createPrivateKey({ key: Buffer.from(stored.pkcs8), format: 'der', type: 'pkcs8' });
  if (!fits(stored.alg, privateKey)) throw new RangeError(`key ${stored.kid} is not one for ${stored.alg}`);
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' }) as PublicJwk;
  const { alg, kid } = stored;
  return { alg, kid, privateKey, publicJwk: { ...jwk, kid, alg, use: 'sig' } };
};
