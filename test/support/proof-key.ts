import { generateKeyPairSync, hash, randomUUID, sign } from 'node:crypto';

type Json = Readonly<Record<string, unknown>>;

/** What a proof is for, and what of it a test has wrong. */
export type ProofOf = {
  readonly method: string;
  readonly url: string;
  /** The access token that it comes with. */
  readonly token?: string;
  readonly claims?: Json;
  readonly header?: Json;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A key of a client that proves it by hand (RFC 9449): P-256, made anew for each. */
export const createProofKey = () => {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  return {
    jwk,
    /** RFC 7638. */
    jkt: hash('sha256', JSON.stringify(jwk), 'base64url'),
    proof: ({ method, url, token, claims = {}, header = {} }: ProofOf): string => {
      const payload = {
        jti: randomUUID(),
        htm: method,
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        ...(token === undefined ? {} : { ath: hash('sha256', token, 'base64url') }),
        ...claims,
      };
      const content = `${encode({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })}.${encode(payload)}`;
      return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
  };
};

export type ProofKey = ReturnType<typeof createProofKey>;
