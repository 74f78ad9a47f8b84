import { generateSigningKey, importSigningKey, type JwtClaims, type SigningAlg, type SigningKey } from '@grantlog/crypto';

/** What the clock of every receiver here shows, in milliseconds. */
export const now = 1_800_000_000_000;

export const audience = 'the-client';
export const authorization = 'Bearer a-secret of-mine';
export const revoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

export const makeKey = async (alg: SigningAlg = 'RS256'): Promise<SigningKey> => importSigningKey(await generateSigningKey(alg));

/** The claims of a SET as the worker makes it. */
export const claimsOf = (issuer: string): JwtClaims => ({
  iss: issuer,
  aud: audience,
  jti: '019baf6c-0000-7000-8000-000000000001',
  iat: 1_799_999_000,
  txn: 't1',
  sub_id: { format: 'opaque', id: 'g1' },
  events: { [revoked]: { initiating_entity: 'policy' } },
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token by hand, with any header and any signature of what is signed. */
export const assemble = (header: object, claims: object, sign: (content: string) => Buffer): string => {
  const content = `${encode(header)}.${encode(claims)}`;
  return `${content}.${sign(content).toString('base64url')}`;
};

/** A push as the worker makes it. */
export const pushed = (body: string, headers: Readonly<Record<string, string | readonly string[] | undefined>> = {}) => ({
  headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', authorization, ...headers },
  body,
});
