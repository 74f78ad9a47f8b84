import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Described, openDescribed, plain } from '../metadata-documents/support/described.ts';
import {
  type Answer,
  createKeyedClients,
  type Fields,
  type KeyedClient,
  type KeyedClients,
  makeKey,
  shown,
  signed,
  type TestKey,
} from './support/keyed-clients.ts';

let world: Described;
let clients: KeyedClients;
beforeAll(async () => {
  world = await openDescribed(inject('databaseUrl'));
  clients = createKeyedClients(world);
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const keysOf = (...keys: readonly TestKey[]) => ({ keys: keys.map(({ jwk }) => jwk) });
const keyed = { ...plain, token_endpoint_auth_method: 'private_key_jwt' };

let nth = 0;
/** A client that its document describes, as it says in `more` beside what all say. */
const described = (more: object): KeyedClient => {
  nth += 1;
  return { clientId: world.site.describe(`/client-${nth}`, { ...keyed, ...more }), platform: world.home, secret: null };
};
const redescribe = ({ clientId }: KeyedClient, more: object): void => {
  world.site.describe(new URL(clientId).pathname, { ...keyed, ...more });
  // The cache of documents asks again.
  world.wait(90_000);
};
const show = (client: KeyedClient, key: TestKey, path: string, fields: Fields): Promise<Answer> =>
  clients.send(`/${client.platform}${path}`, { ...shown(signed(key, clients.claims(client))), ...fields });
const push = (client: KeyedClient, key: TestKey): Promise<Answer> =>
  show(client, key, '/oauth/par', {
    response_type: 'code',
    redirect_uri: plain.redirect_uris[0],
    scope: 'read',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
/** The grant of a person, and its refresh token. */
const connect = async (client: KeyedClient, key: TestKey): Promise<string> => {
  const pushed = await push(client, key);
  expect(pushed.status, JSON.stringify(pushed.body)).toBe(201);
  const at = await world.atConsent(client.clientId, { request_uri: String(pushed.body['request_uri']) });
  const { result } = await world.decide(at);
  const code = new URL(result.location ?? '').searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: plain.redirect_uris[0], code_verifier: verifier };
  const tokens = await show(client, key, '/oauth/token', form);
  expect(tokens.status, JSON.stringify(tokens.body)).toBe(200);
  return String(tokens.body['refresh_token']);
};
const refresh = (client: KeyedClient, key: TestKey, token: string): Promise<Answer> =>
  show(client, key, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token });

describe('a client that its document describes, with keys', () => {
  test('pushes before anybody knows it, connects and stays connected', async () => {
    const key = makeKey('RS256');
    world.site.answer('/chat/jwks.json', (_request, reply) =>
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(keysOf(key))),
    );
    // As the document of ChatGPT says it: one method preferred, two offered.
    const client = described({
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      token_endpoint_auth_signing_alg: 'RS256',
      jwks_uri: `${world.site.origin}/chat/jwks.json`,
    });
    const token = await connect(client, key);
    expect((await refresh(client, key, token)).status).toBe(200);
    expect(await world.clientOf(client.clientId)).toMatchObject({ how: 'metadata_document', authMethods: ['none', 'private_key_jwt'] });
  });

  test('is not written by what it pushes; that its assertion is used up is all', async () => {
    const key = makeKey('ES256');
    const client = described({ jwks: keysOf(key) });
    const { types, result } = await world.during(() => push(client, key), world.home);
    expect([result.status, types]).toEqual([201, ['name.claimed']]);
    expect(await world.clientOf(client.clientId)).toEqual({ status: 'none' });
  });

  test('proves itself with the keys that its document says now, by whatever keys it was registered', async () => {
    const [before, after] = [makeKey('ES256'), makeKey('ES256')];
    const client = described({ jwks: keysOf(before) });
    const token = await connect(client, before);
    redescribe(client, { jwks: keysOf(after) });
    expect(await refresh(client, before, token)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await refresh(client, after, token)).status).toBe(200);
  });

  test('goes on with the keys that it was registered with while its site is down', async () => {
    const key = makeKey('ES256');
    const client = described({ jwks: keysOf(key) });
    const token = await connect(client, key);
    world.site.answer(new URL(client.clientId).pathname, (_request, reply) => reply.writeHead(503).end());
    world.wait(900_000);
    expect((await refresh(client, key, token)).status).toBe(200);
  });
});

describe('a stranger with a document and keys', () => {
  test('writes nothing where there is nothing for it', async () => {
    const key = makeKey('ES256');
    const client = described({ jwks: keysOf(key) });
    for (const [path, form] of [
      ['/oauth/token', { grant_type: 'client_credentials' }],
      ['/oauth/introspect', { token: 'x' }],
      ['/oauth/revoke', { token: 'x' }],
    ] as const) {
      const { result, types } = await world.during(() => show(client, key, path, form), world.home);
      expect([result.status, types], path).toEqual([401, []]);
    }
    expect(world.site.asked).not.toContain(new URL(client.clientId).pathname);
  });

  test('pushes no more than its address may, however many keys it has', async () => {
    const key = makeKey('EdDSA');
    const client = described({ jwks: keysOf(key) });
    const statuses = new Set<number>();
    for (let turn = 0; turn < 110 && !statuses.has(429); turn += 1) statuses.add((await push(client, key)).status);
    expect([...statuses]).toEqual([201, 429]);
    const { types } = await world.during(() => push(client, key), world.home);
    expect(types).toEqual([]);
  });
});
