import { createWebhookKeyPair, createWebhookSecret, webhookPublicJwk } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createWebhookReceiver, type GuardProblem, type WebhookReceiver } from '../../src/index.ts';
import { type FakeAuthorizationServer, startAuthorizationServer, status } from '../authorization-server.ts';
import { attempt, message, nowSeconds } from './attempts.ts';

type EndpointKey = { readonly kid: string; readonly secret: string };

const makeKey = (kid: string): EndpointKey => ({ kid, secret: createWebhookKeyPair().secretKey });
const [first, second] = [makeKey('first'), makeKey('second')];

let server: FakeAuthorizationServer;
let problems: GuardProblem[];
let now: number;
let receiver: WebhookReceiver;

/** As the server answers it. */
const publish = (...keys: readonly EndpointKey[]): void =>
  server.reply('keys', (_, response) => {
    response.writeHead(200, { 'content-type': 'application/jwk-set+json' });
    response.end(JSON.stringify({ keys: keys.map(webhookPublicJwk) }));
  });

beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.reset();
  publish(first);
  problems = [];
  now = nowSeconds * 1000;
  receiver = createWebhookReceiver({
    jwksUri: server.metadata.jwks_uri,
    now: () => now,
    onProblem: (problem) => void problems.push(problem),
  });
});

/** As the worker signs: by every secret that is valid, and naming the newest. */
const sent = (...[newest, ...others]: readonly [EndpointKey, ...EndpointKey[]]) => {
  const secrets = [newest, ...others].map(({ secret }) => secret);
  const { headers, body } = attempt({ secrets, timestampSeconds: Math.floor(now / 1000) });
  return { headers: { ...headers, 'webhook-key-id': newest.kid }, body };
};
const readings = () => server.asked('keys').length;

test('a webhook is verified by the key that it names among those of its endpoint, whoever the issuer is', async () => {
  expect(await receiver.verify(sent(first))).toEqual({ kind: 'verified', message });
  expect([readings(), server.asked('metadata').length, problems]).toEqual([1, 0, []]);
  expect(server.asked('keys')[0]?.headers['accept']).toBe('application/jwk-set+json, application/json');
});

test('a rotation needs nothing of its receiver', async () => {
  await receiver.verify(sent(first));
  publish(second, first);
  now += 10_000;
  expect(await receiver.verify(sent(second, first))).toMatchObject({ kind: 'verified' });
  expect(await receiver.verify(sent(first))).toMatchObject({ kind: 'verified' });
  expect(readings()).toBe(2);
  publish(second);
  now += 5 * 60_000;
  expect(await receiver.verify(sent(first))).toMatchObject({ kind: 'refused', reason: 'unknown_key', status: 403 });
  expect(await receiver.verify(sent(second))).toMatchObject({ kind: 'verified' });
  expect(readings()).toBe(3);
});

test('a key that the endpoint has not verifies nothing, whatever name it goes by', async () => {
  expect(await receiver.verify(sent({ ...second, kid: first.kid }))).toMatchObject({ reason: 'no_matching_signature' });
  expect(await receiver.verify(sent(second, first))).toMatchObject({ reason: 'unknown_key' });
  const { headers, body } = attempt({ secrets: [createWebhookSecret()] });
  expect(await receiver.verify({ headers: { ...headers, 'webhook-key-id': first.kid }, body })).toMatchObject({
    reason: 'no_matching_signature',
  });
});

test('names of keys that nobody has make it ask every ten seconds at most', async () => {
  for (let passed = 0; passed < 30; passed += 1) {
    expect(await receiver.verify(sent({ ...first, kid: `strange-${passed}` }))).toMatchObject({ reason: 'unknown_key' });
    now += 1_000;
  }
  expect(readings()).toBe(3);
});

test('an endpoint that is not there is asked for every ten seconds at most, and tells nobody that a webhook is not genuine', async () => {
  server.reply('keys', status(404));
  for (let passed = 0; passed < 20; passed += 1) {
    expect(await receiver.verify(sent(first))).toMatchObject({ kind: 'refused', reason: 'keys_unavailable', status: 503 });
    now += 1_000;
  }
  expect(readings()).toBe(2);
  expect(problems).toMatchObject([{ kind: 'unusable_answer', message: expect.stringContaining(server.metadata.jwks_uri) }]);
});
