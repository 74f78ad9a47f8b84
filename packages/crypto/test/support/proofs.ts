import { constants, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

/** A key pair whose proofs a test makes by hand, wrong ones included. */
export type ProofKey = { readonly alg: string; readonly privateKey: KeyObject; readonly jwk: Json };

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const pairOf = (alg: string, bits: number): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } => {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: bits });
};

export const makeProofKey = (alg: string, bits = 2_048): ProofKey => {
  const { privateKey, publicKey } = pairOf(alg, bits);
  return { alg, privateKey, jwk: publicKey.export({ format: 'jwk' }) as Json };
};

const signature = ({ alg, privateKey: key }: ProofKey, content: Buffer): Buffer => {
  switch (alg) {
    case 'ES256':
      return sign('sha256', content, { key, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return sign(null, content, key);
    case 'PS256':
      return sign('sha256', content, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    default:
      return sign('sha256', content, key);
  }
};

/** A proof over exactly these claims, its header as a client writes it save for what is changed. */
export const proofBy = (key: ProofKey, claims: Json, header: Json = {}): string => {
  const content = `${encode({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header })}.${encode(claims)}`;
  return `${content}.${signature(key, Buffer.from(content)).toString('base64url')}`;
};

export const athOf = (token: string): string => hash('sha256', token, 'base64url');
