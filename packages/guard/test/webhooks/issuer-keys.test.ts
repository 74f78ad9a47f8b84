import { createWebhookKeyPair, generateSigningKey, importSigningKey, type SigningKey } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWebhookReceiver, type GuardProblem, type WebhookReceiverOptions } from '../../src/index.ts';
import { type FakeAuthorizationServer, type Reply, startAuthorizationServer, status } from '../authorization-server.ts';
import { attempt, message, nowSeconds, told } from './attempts.ts';

const url = 'https://agent.example/hooks';
const ownKey = createWebhookKeyPair().secretKey;
const makeKey = async (): Promise<SigningKey> => importSigningKey(await generateSigningKey('EdDSA'));

let server: FakeAuthorizationServer;
let key: SigningKey;
let problems: GuardProblem[];
let now: number;

beforeAll(async () => {
  server = await startAuthorizationServer();
  key = await makeKey();
});
afterAll(() => server.stop());
beforeEach(() => {
  problems = [];
  now = nowSeconds * 1000;
  server.reset();
  server.reply('keys', { keys: [key.publicJwk] });
});

const receiver = (change: Partial<Extract<WebhookReceiverOptions, { readonly issuer: string }>> = {}) =>
  createWebhookReceiver({
    issuer: server.issuer,
    url: `${url}?of=the-receiver`,
    now: () => now,
    onProblem: (problem) => void problems.push(problem),
    ...change,
  });

/** Signed as the worker does for who keeps nothing: by the endpoint's own key, which is not known here, and by the platform's. */
const sent = (by: SigningKey, change: Readonly<Record<string, unknown>> = {}) =>
  attempt({
    secrets: [ownKey],
    keys: [by],
    timestampSeconds: Math.floor(now / 1000),
    body: JSON.stringify({ ...told, data: { ...told.data, audience: url, ...change } }),
  });
const unknown = { kind: 'refused', reason: 'unknown_key', status: 403 };
const unavailable = { kind: 'refused', reason: 'keys_unavailable', status: 503, headers: [['Retry-After', '10']] };
const fetched = () => [server.asked('metadata').length, server.asked('keys').length];

test('a webhook is verified by the key that it names among those of the issuer', async () => {
  expect(await receiver().verify(sent(key))).toEqual({
    kind: 'verified',
    message: { ...message, data: { ...told.data, audience: url } },
  });
  expect(problems).toEqual([]);
});

test('it has to be for this very receiver', async () => {
  const { verify } = receiver();
  for (const audience of [undefined, 'https://somebody-else.example/hooks', `${url}/`, `${url}?of=the-receiver`, [url]])
    expect(await verify(sent(key, { audience }))).toMatchObject({ kind: 'refused', reason: 'other_audience', status: 403 });
});

test('a key that has the name of one of the issuer and is another signs nothing', async () => {
  const forged = { ...(await makeKey()), kid: key.kid };
  expect(await receiver().verify(sent(forged))).toMatchObject({ reason: 'no_matching_signature' });
});

test('the name of the key is required, once', async () => {
  const { headers, body } = sent(key);
  const { verify } = receiver();
  expect(await verify({ headers: { ...headers, 'webhook-key-id': undefined }, body })).toMatchObject({
    reason: 'missing_key_id',
    status: 400,
  });
  expect(await verify({ headers: { ...headers, 'webhook-key-id': [key.kid, key.kid] }, body })).toMatchObject({
    reason: 'repeated_header',
  });
  expect(fetched()).toEqual([0, 0]);
});

describe('the key set', () => {
  test('is read once for what comes together, and again after five minutes', async () => {
    const { verify } = receiver();
    const first = await Promise.all([verify(sent(key)), verify(sent(key)), verify(sent(key))]);
    expect(first.map(({ kind }) => kind)).toEqual(['verified', 'verified', 'verified']);
    now += 5 * 60_000 - 1;
    await verify(sent(key));
    expect(fetched()).toEqual([1, 1]);
    now += 1;
    server.reply('keys', { keys: [] });
    expect(await verify(sent(key))).toMatchObject(unknown);
    expect(fetched()).toEqual([2, 2]);
  });

  test('is read again for a key that is not in it, such as a new one', async () => {
    const { verify } = receiver();
    await verify(sent(key));
    const next = await makeKey();
    server.reply('keys', { keys: [key.publicJwk, next.publicJwk] });
    now += 10_000;
    expect(await verify(sent(next))).toMatchObject({ kind: 'verified' });
    expect(await verify(sent(key))).toMatchObject({ kind: 'verified' });
    expect(fetched()).toEqual([2, 2]);
  });

  test('is read every ten seconds at most, whatever keys a stranger names', async () => {
    const { verify } = receiver();
    const strange = await makeKey();
    for (let second = 0; second < 60; second += 1) {
      const named = Array.from({ length: 5 }, (_, index) => verify(sent({ ...strange, kid: `k${second}-${index}` })));
      for (const outcome of await Promise.all(named)) expect(outcome).toMatchObject(unknown);
      now += 1_000;
    }
    expect(fetched()).toEqual([6, 6]);
    expect(await verify(sent(key))).toMatchObject({ kind: 'verified' });
  });

  test('that cannot be read is asked for every ten seconds at most, too, and nobody is told that a webhook is not genuine', async () => {
    const { verify } = receiver();
    server.reply('keys', status(500));
    for (let second = 0; second < 20; second += 1) {
      expect(await verify(sent(key))).toMatchObject(unavailable);
      now += 1_000;
    }
    expect(fetched()).toEqual([2, 2]);
    server.reply('keys', { keys: [key.publicJwk] });
    expect(await verify(sent(key))).toMatchObject({ kind: 'verified' });
  });

  test('is read once at a time, however long that takes', async () => {
    const { verify } = receiver();
    const slow = Promise.withResolvers<void>();
    server.reply('keys', async (_, response) => {
      await slow.promise;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key.publicJwk] }));
    });
    const first = verify(sent(key));
    await expect.poll(fetched).toEqual([1, 1]);
    now += 10_000;
    const second = verify(sent(key));
    await new Promise((resolve) => setTimeout(resolve, 50));
    slow.resolve();
    expect([(await first).kind, (await second).kind]).toEqual(['verified', 'verified']);
    expect(fetched()).toEqual([1, 1]);
  });

  test('stays good for its five minutes where a stranger has it asked for in vain, and no longer', async () => {
    const { verify } = receiver();
    await verify(sent(key));
    server.reply('keys', status(500));
    now += 10_000;
    expect(await verify(sent({ ...key, kid: 'strange' }))).toMatchObject(unavailable);
    expect(await verify(sent(key))).toMatchObject({ kind: 'verified' });
    now += 5 * 60_000;
    expect(await verify(sent(key))).toMatchObject(unavailable);
  });

  test('is read again when the clock stepped back', async () => {
    const { verify } = receiver();
    await verify(sent(key));
    now -= 1;
    expect(await verify(sent(key))).toMatchObject({ kind: 'verified' });
    expect(fetched()).toEqual([2, 2]);
  });

  test('gives keys for this alone, and none of a name that two have', async () => {
    const { publicJwk } = key;
    const ofCurve = importSigningKey(await generateSigningKey('ES256')).publicJwk;
    const sets: readonly unknown[][] = [
      [publicJwk, { ...(await makeKey()).publicJwk, kid: key.kid }],
      [publicJwk, publicJwk],
      [{ ...publicJwk, use: 'enc' }],
      [{ ...publicJwk, alg: 'ES256' }],
      [{ ...publicJwk, x: 5 }],
      [{ ...publicJwk, kid: undefined }],
      [{ ...ofCurve, kid: key.kid }],
      [null, 7, 'key'],
    ];
    for (const keys of sets) {
      server.reply('keys', { keys });
      expect(await receiver().verify(sent(key))).toMatchObject(unknown);
    }
    server.reply('keys', { keys: [null, { ...ofCurve, x: {} }, publicJwk] });
    expect(await receiver().verify(sent(key))).toMatchObject({ kind: 'verified' });
  });

  test.each<[string, GuardProblem['kind'], 'metadata' | 'keys', () => Reply]>([
    ['of another issuer', 'wrong_issuer', 'metadata', () => ({ ...server.metadata, issuer: 'https://as.example' })],
    ['that the metadata does not name', 'unusable_metadata', 'metadata', () => ({ ...server.metadata, jwks_uri: undefined })],
    ['in the clear', 'unusable_metadata', 'metadata', () => ({ ...server.metadata, jwks_uri: 'http://as.example/keys' })],
    ['without metadata', 'unusable_metadata', 'metadata', () => status(404)],
    ['that is no list', 'unusable_answer', 'keys', () => ({ keys: {} })],
    ['that is a page', 'unusable_answer', 'keys', () => status(200, { 'content-type': 'text/html' }, '<p>')],
    ['of more than 64 KiB', 'unusable_answer', 'keys', () => ({ keys: [], padding: 'x'.repeat(65_536) })],
    ['that is somewhere else', 'unusable_answer', 'keys', () => status(302, { location: `${server.origin}/keys` })],
    ['that cannot be served', 'unreachable', 'keys', () => status(503)],
  ])('%s is none: 503 and %s', async (_, kind, place, reply) => {
    server.reply(place, reply());
    expect(await receiver().verify(sent(key))).toMatchObject(unavailable);
    expect(problems).toMatchObject([{ kind }]);
  });

  test('of a server that is not there is 503, and never a rejection', async () => {
    const { verify } = receiver({ fetch: () => Promise.reject(new TypeError('fetch failed')) });
    expect(await verify(sent(key))).toMatchObject(unavailable);
    expect(problems).toMatchObject([{ kind: 'unreachable' }]);
  });
});
