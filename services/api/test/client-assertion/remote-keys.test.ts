import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@grantlog/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createRemoteKeys } from '../../src/remote-keys/remote-keys.ts';
import { createWorld, type World } from '../management/support/world.ts';
import {
  type Answer,
  createKeyedClients,
  type KeyedClient,
  type KeyedClients,
  makeKey,
  shown,
  signed,
  type TestKey,
} from './support/keyed-clients.ts';

let world: World;
let app: World['app'];
let clients: KeyedClients;
let site: Server;
let jwksUri: string;
let client: KeyedClient;

/** What the site answers with, how often it was asked, and the clock of the cache. */
let answer: { status: number; body: string; headers: Record<string, string> };
let asked = 0;
let clock = Date.now();

const publish = (keys: readonly TestKey[], headers: Record<string, string> = {}): void => {
  answer = {
    status: 200,
    body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }),
    headers: { 'cache-control': 'max-age=3600', ...headers },
  };
};
const show = (key: TestKey, header: object = {}): Promise<Answer> =>
  clients.exchange(client, shown(signed(key, clients.claims(client), header)));

beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  app = await createApp({
    ...world.deps,
    remoteKeys: createRemoteKeys({ egress: world.deps.egress, now: () => clock }),
    logger: createLogger({ service: 'api', level: 'silent' }),
  });
  clients = createKeyedClients({ ...world, app });
  site = createServer((_request, response) => {
    asked += 1;
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => void site.listen(0, '127.0.0.1', resolve));
});
beforeEach(async () => {
  // A URL that nobody has asked for yet.
  clock += 10_000_000;
  jwksUri = `http://127.0.0.1:${(site.address() as AddressInfo).port}/${clock}/jwks.json`;
  client = await clients.register(world.arlo, { jwksUri });
  asked = 0;
});
afterAll(async () => {
  await app.close();
  await world.close();
  await new Promise((resolve) => site.close(resolve));
});

describe('the keys of a client that publishes them', () => {
  test('are fetched once for a crowd and kept', async () => {
    const key = makeKey('RS256');
    publish([key]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => show(key)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(asked).toBe(1);
    clock += 3_500_000;
    expect((await show(key)).status).toBe(200);
    expect(asked).toBe(1);
  });

  test('are fetched anew where one of another name signs, and the old one is worth nothing then', async () => {
    const [before, after] = [makeKey('ES256'), makeKey('ES256')];
    publish([before]);
    expect((await show(before)).status).toBe(200);
    publish([after]);
    clock += 11_000;
    expect((await show(after)).status).toBe(200);
    expect(asked).toBe(2);
    expect((await show(before)).status).toBe(401);
  });

  test('are fetched anew where one of the same name signs, or of none', async () => {
    const [before, after] = [makeKey('ES256', 'the-key'), makeKey('ES256', 'the-key')];
    publish([before]);
    expect((await show(before)).status).toBe(200);
    publish([after]);
    clock += 11_000;
    expect((await show(after, { kid: undefined })).status).toBe(200);
    expect(asked).toBe(2);
  });

  test('are asked for no more than once in ten seconds, however many names are made up', async () => {
    const key = makeKey('ES256');
    publish([key]);
    expect((await show(key)).status).toBe(200);
    const made = await Promise.all(Array.from({ length: 20 }, () => show(makeKey('ES256'))));
    expect(made.every(({ status }) => status === 401)).toBe(true);
    expect(asked).toBe(1);
    clock += 11_000;
    await Promise.all(Array.from({ length: 20 }, () => show(makeKey('ES256'))));
    expect(asked).toBe(2);
    expect((await show(key)).status).toBe(200);
  });

  test('stand in for an hour while their site is down, and are found again as soon as it is up', async () => {
    const key = makeKey('ES256');
    publish([key]);
    expect((await show(key)).status).toBe(200);
    answer = { status: 503, body: '{}', headers: {} };
    clock += 3_700_000;
    expect((await show(key)).status).toBe(200);
    clock += 3_700_000;
    expect((await show(key)).status).toBe(401);
    publish([key]);
    clock += 6_000;
    expect((await show(key)).status).toBe(200);
  });

  test.each(['dynamic', 'metadata_document'] as const)(
    'are not looked for on this machine for a client that came by itself (%s)',
    async (how) => {
      const key = makeKey('ES256');
      publish([key]);
      client = await clients.register(world.arlo, { jwksUri }, { how });
      expect(await show(key)).toMatchObject({ status: 401, body: { error_description: 'Client authentication failed' } });
      expect(asked).toBe(0);
    },
  );

  test.each<readonly [string, (key: TestKey) => object]>([
    ['answers an error', () => ({ status: 500 })],
    ['redirects', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } })],
    ['answers HTML', () => ({ headers: { 'content-type': 'text/html' } })],
    ['answers what is no JWK set', () => ({ body: '[]' })],
    ['answers no keys', () => ({ body: '{"keys":[]}' })],
    ['publishes a private key', ({ jwk }) => ({ body: JSON.stringify({ keys: [{ ...jwk, d: 'x' }] }) })],
  ])('prove nothing where the site %s', async (_what, spoilt) => {
    const key = makeKey('ES256');
    publish([key]);
    Object.assign(answer, spoilt(key));
    expect(await show(key)).toMatchObject({ status: 401, body: { error_description: 'Client authentication failed' } });
  });
});
