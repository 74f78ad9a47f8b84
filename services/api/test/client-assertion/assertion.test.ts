import { createPublicKey, randomUUID } from 'node:crypto';
import type { ClientStreamId } from '@grantlog/domain';
import { changeClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { authenticateClient } from '../../src/access/authenticate-client.ts';
import { assertionKeysOf, type ClientProof } from '../../src/access/client-proof.ts';
import { foldClient } from '../../src/platforms/load-parties.ts';
import { createWorld, type World } from '../management/support/world.ts';
import {
  type Algorithm,
  by,
  createKeyedClients,
  type Fields,
  type KeyedClient,
  type KeyedClients,
  makeKey,
  shown,
  signed,
  signedWithPublicKey,
  type TestKey,
  unsigned,
} from './support/keyed-clients.ts';

let world: World;
let clients: KeyedClients;
let key: TestKey;
let client: KeyedClient;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  clients = createKeyedClients(world);
  key = makeKey('ES256');
  client = await clients.withKeys(world.arlo, [key]);
});
afterAll(() => world.close());

const seconds = (): number => Math.floor(Date.now() / 1000);
const assertion = (change: object = {}, header: object = {}): string => signed(key, clients.claims(client, change), header);
const used = (jwt: string, more: Fields = {}) => clients.exchange(client, { ...shown(jwt), ...more });
const refusedClient = (description: unknown = 'Client authentication failed') => ({
  status: 401,
  body: { error: 'invalid_client', error_description: description },
});

describe('an assertion', () => {
  test.each<Algorithm>(['RS256', 'PS256', 'ES256', 'EdDSA'])('of %s gets its client a token, once', async (alg) => {
    const mine = makeKey(alg);
    const machine = await clients.withKeys(world.arlo, [mine]);
    const jwt = signed(mine, clients.claims(machine));
    const first = await clients.exchange(machine, shown(jwt));
    expect(first).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' }, body: { token_type: 'Bearer', scope: 'read' } });
    expect(await clients.exchange(machine, shown(jwt))).toMatchObject(
      refusedClient('client_assertion was used before: make a new one for each request'),
    );
  });

  test('names its client by itself, or beside the same client_id', async () => {
    expect((await used(assertion(), { client_id: client.clientId })).status).toBe(200);
    expect(await used(assertion(), { client_id: 'another' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'client_id differs from the client that client_assertion is about' },
    });
  });

  test('is meant for the issuer, the token endpoint or the endpoint that is asked, as a text or alone in a list', async () => {
    const issuer = clients.issuerOf(world.arlo);
    for (const aud of [issuer, `${issuer}/oauth/token`, [issuer], [`${issuer}/oauth/token`]])
      expect((await used(assertion({ aud }))).status, String(aud)).toBe(200);
    const asked = await clients.send(`/${world.arlo}/oauth/revoke`, {
      ...shown(assertion({ aud: `${issuer}/oauth/revoke` })),
      token: 'unknown',
    });
    expect(asked.status).toBe(200);
  });

  test.each<readonly [string, () => unknown]>([
    ['another server', () => 'https://other.example'],
    ['another platform of this server', () => clients.issuerOf(world.along)],
    ['an endpoint that is not asked', () => `${clients.issuerOf(world.arlo)}/oauth/introspect`],
    ['the issuer and a slash', () => `${clients.issuerOf(world.arlo)}/`],
    ['the issuer and somebody else', () => [clients.issuerOf(world.arlo), 'https://other.example']],
    ['nobody', () => undefined],
    ['nobody, in a list', () => []],
    ['a number', () => 1],
  ])('that is meant for %s is refused, and says so', async (_what, aud) => {
    expect(await used(assertion({ aud: aud() }))).toMatchObject(
      refusedClient('aud of client_assertion has to be the issuer of this server, and nobody else'),
    );
  });

  test.each<readonly [string, () => object, RegExp]>([
    ['of another issuer', () => ({ iss: 'another' }), /^iss of client_assertion/],
    ['without issuer', () => ({ iss: undefined }), /^iss of client_assertion/],
    ['that has expired', () => ({ exp: seconds() - 300 }), /has expired/],
    ['without expiry', () => ({ exp: undefined }), /has no exp$/],
    ['that runs for longer than an hour', () => ({ exp: seconds() + 3_700 }), /more than 3600 seconds away/],
    ['that never expires', () => ({ exp: 1e308 }), /more than 3600 seconds away/],
    ['that begins in more than a minute', () => ({ nbf: seconds() + 65 }), /not valid yet/],
    ['made in more than a minute', () => ({ iat: seconds() + 65 }), /iat of client_assertion is in the future/],
    ['made at a time that is a text', () => ({ iat: 'now' }), /iat of client_assertion/],
    ['without jti', () => ({ jti: undefined }), /has no jti/],
    ['with an empty jti', () => ({ jti: '' }), /has no jti/],
    ['with a jti that is a number', () => ({ jti: 7 }), /has no jti/],
  ])('%s is refused, and says why', async (_what, change, description) => {
    expect(await used(assertion(change()))).toMatchObject(refusedClient(expect.stringMatching(description)));
  });

  test('of a clock that is some seconds off is taken', async () => {
    expect((await used(assertion({ nbf: seconds() + 8, iat: seconds() + 8 }))).status).toBe(200);
    expect((await used(assertion({ exp: seconds() - 8 }))).status).toBe(200);
  });

  test.each<readonly [string, object, number]>([
    ['no type', {}, 200],
    ['JWT', { typ: 'JWT' }, 200],
    ['the type of RFC 7523bis', { typ: 'client-authentication+jwt' }, 200],
    ['that of an access token', { typ: 'at+jwt' }, 401],
    ['that of a logout token', { typ: 'logout+jwt' }, 401],
    ['that of an identity assertion', { typ: 'oauth-id-jag+jwt' }, 401],
  ])('with %s answers as it should', async (_what, header, status) => {
    expect((await used(assertion({}, header))).status).toBe(status);
  });
});

describe('a client whose keys change', () => {
  const change = (changes: object) =>
    changeClient(world.deps.provisioning, by, { platform: world.arlo, clientId: mine.clientId, command: { type: 'update', changes } });
  const [before, after] = [makeKey('ES256'), makeKey('ES256')];
  let mine: KeyedClient;
  beforeEach(async () => {
    mine = await clients.withKeys(world.arlo, [before]);
  });

  test('proves itself with the new ones at once, and no more with the old', async () => {
    await change({ jwks: { keys: [after.jwk] } });
    expect((await clients.exchange(mine, shown(signed(before, clients.claims(mine))))).status).toBe(401);
    expect((await clients.exchange(mine, shown(signed(after, clients.claims(mine))))).status).toBe(200);
  });

  test('proves itself with its one algorithm alone, where it has one', async () => {
    await change({ assertionAlg: 'PS256' });
    expect((await clients.exchange(mine, shown(signed(before, clients.claims(mine))))).status).toBe(401);
    await change({ assertionAlg: 'ES256' });
    expect((await clients.exchange(mine, shown(signed(before, clients.claims(mine))))).status).toBe(200);
  });

  test('has proved nothing with what is not its key any more when it is decided', async () => {
    const names = await world.deps.directory.open(world.arlo);
    const stream = names?.client(mine.clientId) as ClientStreamId;
    const load = () => world.deps.log.load(world.arlo, [{ streamId: stream, withSecrets: true }]);
    const loaded = await load();
    const state = foldClient(loaded, stream);
    if (state.status !== 'active') throw new Error(state.status);
    const proof: ClientProof = { method: 'private_key_jwt', clientId: mine.clientId, provedWith: assertionKeysOf(state) };
    const decide = (at: typeof loaded) =>
      authenticateClient(world.deps.sealer, {
        platform: world.arlo,
        credentials: proof,
        state: foldClient(at, stream),
        stream: at.stream(stream),
        now: at.now,
      });
    expect(decide(loaded).clientId).toBe(mine.clientId);
    await change({ jwks: { keys: [after.jwk] } });
    const later = await load();
    expect(() => decide(later)).toThrow(/keys of the client have changed/);
  });
});

describe('whoever has not the key', () => {
  const pem = (): string =>
    createPublicKey({ key: key.jwk as never, format: 'jwk' })
      .export({ format: 'pem', type: 'spki' })
      .toString();

  test.each<readonly [string, () => string]>([
    ['no signature', () => unsigned(clients.claims(client))],
    ['a MAC made with the public JWK', () => signedWithPublicKey(key, clients.claims(client), JSON.stringify(key.jwk))],
    ['a MAC made with the public PEM', () => signedWithPublicKey(key, clients.claims(client), pem())],
    ['a key of its own under the same name', () => signed(makeKey('ES256', key.kid), clients.claims(client))],
    ['a key that the header brings', () => broughtAlong()],
    ['a key that the client does not have', () => signed(makeKey('EdDSA'), clients.claims(client))],
    ['no JWT', () => `x.${Buffer.from(JSON.stringify({ sub: client.clientId })).toString('base64url')}.x`],
  ])('learns nothing from %s', async (_what, make) => {
    expect(await used(make())).toMatchObject(refusedClient());
  });

  const broughtAlong = (): string => {
    const stranger = makeKey('ES256', key.kid);
    return signed(stranger, clients.claims(client), { jwk: stranger.jwk });
  };

  test('is told the same as for a client that is not there', async () => {
    const nobody = { ...client, clientId: randomUUID() };
    expect(await clients.exchange(nobody, shown(signed(key, clients.claims(nobody))))).toMatchObject(refusedClient());
    for (const text of ['nonsense', 'a.b', 'a.b.c', `a.${Buffer.from('{}').toString('base64url')}.c`, 'x'.repeat(16_000)])
      expect(await used(text), text.slice(0, 20)).toMatchObject(refusedClient());
  });

  test('gets nowhere with the assertion of another client, or of a namesake on another platform', async () => {
    const namesake = await clients.register(world.along, { jwks: { keys: [key.jwk] } as never }, { clientId: client.clientId });
    const there = signed(key, clients.claims(namesake));
    expect(await used(there)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await clients.exchange(namesake, shown(there))).status).toBe(200);
    const other = await clients.withKeys(world.arlo, [makeKey('ES256')]);
    expect(await used(signed(key, clients.claims(other)))).toMatchObject(refusedClient());
  });
});

describe('one way at a time', () => {
  test.each<readonly [string, Fields, Fields]>([
    ['a secret in the body', { client_secret: 'hush' }, {}],
    ['a secret in the header', {}, { authorization: `Basic ${btoa('a:b')}` }],
  ])('an assertion beside %s is refused, and stays unused', async (_what, fields, headers) => {
    const jwt = assertion();
    expect(await clients.exchange(client, { ...shown(jwt), ...fields }, headers)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'Use one client authentication method, not two' },
    });
    expect((await used(jwt)).status).toBe(200);
  });

  test('half of one is refused', async () => {
    const jwt = assertion();
    for (const half of [{ client_assertion: jwt }, { client_assertion_type: 'x' }, { ...shown(jwt), client_assertion_type: 'x' }])
      expect(await clients.exchange(client, half)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('a client with keys has no other way, and one with a secret not this', async () => {
    expect(await clients.exchange(client, { client_id: client.clientId })).toMatchObject(refusedClient());
    const machine = await world.machine([], { platform: world.arlo });
    const named = { clientId: machine.clientId, platform: world.arlo, secret: null };
    expect(await clients.exchange(named, shown(signed(key, clients.claims(named))))).toMatchObject(refusedClient());
  });

  test('no assertion comes in a URL', async () => {
    const answer = await clients.send(`/${world.arlo}/oauth/token?client_assertion=hidden-value`, { grant_type: 'client_credentials' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(JSON.stringify(answer.body)).not.toContain('hidden-value');
  });
});
