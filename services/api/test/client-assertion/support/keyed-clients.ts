import { constants, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { ClientExtras, PlatformGrantType } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, type NewClient, registerClient } from '@grantlog/provisioning';
import type { Json, World } from '../../management/support/world.ts';

export const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';
export type TestKey = { readonly alg: Algorithm; readonly kid: string; readonly jwk: Json; readonly privateKey: KeyObject };
export type Fields = Readonly<Record<string, string>>;
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: Json };

const pairOf = (alg: Algorithm) => {
  switch (alg) {
    case 'RS256':
    case 'PS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
  }
};

export const makeKey = (alg: Algorithm, kid: string = randomUUID()): TestKey => {
  const { publicKey, privateKey } = pairOf(alg);
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
};

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signatureOf = ({ alg, privateKey }: TestKey, content: Buffer): Buffer => {
  switch (alg) {
    case 'RS256':
      return sign('sha256', content, privateKey);
    case 'PS256':
      return sign('sha256', content, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'ES256':
      return sign('sha256', content, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return sign(null, content, privateKey);
  }
};

/** A JWT as a client makes it; `header` goes over what it says by itself. */
export const signed = (key: TestKey, claims: object, header: object = {}): string => {
  const content = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`;
  return `${content}.${signatureOf(key, Buffer.from(content)).toString('base64url')}`;
};

/** One that nobody signed, and one whose MAC is made with what everybody knows. */
export const unsigned = (claims: object): string => `${encode({ alg: 'none' })}.${encode(claims)}.`;
export const signedWithPublicKey = (key: TestKey, claims: object, secret: string): string => {
  const content = `${encode({ alg: 'HS256', kid: key.kid })}.${encode(claims)}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
};

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const shown = (assertion: string): Fields => ({ client_assertion_type: assertionType, client_assertion: assertion });

export type KeyedClient = { readonly clientId: string; readonly platform: PlatformId; readonly secret: string | null };

/** Clients with keys of their own, and what they send. */
export const createKeyedClients = (world: World) => {
  const issuerOf = (platform: string): string => `http://localhost:4000/${platform}`;

  const register = async (platform: PlatformId, extras: Partial<ClientExtras>, change: Partial<NewClient> = {}): Promise<KeyedClient> => {
    const grantTypes: readonly PlatformGrantType[] = ['authorization_code', 'refresh_token', 'client_credentials'];
    const outcome = await registerClient(world.deps.provisioning, by, {
      platform,
      clientId: null,
      kind: 'confidential',
      how: 'portal',
      name: 'A client with keys',
      redirectUris: ['https://client.example/cb'],
      grantTypes,
      scopes: null,
      authMethods: ['private_key_jwt'],
      idTokenAlg: null,
      serves: [],
      roles: [],
      approval: 'approved',
      secret: null,
      extras,
      ...change,
    });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { clientId: outcome.clientId, platform, secret: outcome.secret };
  };

  /** What a client says for itself now; `change` says it otherwise, and undefined leaves it out. */
  const claims = ({ clientId, platform }: KeyedClient, change: object = {}): object => {
    const seconds = Math.floor(Date.now() / 1000);
    return { iss: clientId, sub: clientId, aud: issuerOf(platform), jti: randomUUID(), iat: seconds, exp: seconds + 60, ...change };
  };

  const send = async (path: string, fields: Fields, headers: Fields = {}): Promise<Answer> => {
    const response = await world.app.inject({
      method: 'POST',
      url: path,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: String(new URLSearchParams(fields)),
    });
    return { status: response.statusCode, headers: response.headers, body: response.body === '' ? {} : (response.json() as Json) };
  };

  return {
    issuerOf,
    claims,
    send,
    register,
    withKeys: (platform: PlatformId, keys: readonly TestKey[], extras: Partial<ClientExtras> = {}) =>
      register(platform, { jwks: { keys: keys.map(({ jwk }) => jwk) } as never, ...extras }),
    /** Asks for a token by itself. */
    exchange: ({ platform }: KeyedClient, fields: Fields, headers: Fields = {}): Promise<Answer> =>
      send(`/${platform}/oauth/token`, { grant_type: 'client_credentials', scope: 'read', ...fields }, headers),
  };
};

export type KeyedClients = ReturnType<typeof createKeyedClients>;
