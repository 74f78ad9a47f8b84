import { type JwtClaims, type SigningKey, signJwt } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createSecurityEventReceiver, type SecurityEventReceiverOptions, type SeenWebhooks } from '../../src/index.ts';
import { createSeenWebhooks } from '../../src/receiving/seen.ts';
import { type FakeAuthorizationServer, startAuthorizationServer } from '../authorization-server.ts';
import { audience, claimsOf, makeKey, now, pushed } from './tokens.ts';

let server: FakeAuthorizationServer;
let key: SigningKey;
let handled: string[];

beforeAll(async () => {
  server = await startAuthorizationServer();
  key = await makeKey();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.reset();
  server.reply('keys', { keys: [key.publicJwk] });
  handled = [];
});

const receiver = (change: Partial<SecurityEventReceiverOptions> = {}) =>
  createSecurityEventReceiver({ issuer: server.issuer, audience, now: () => now, onProblem: () => {}, ...change });
const push = async (to: ReturnType<typeof receiver>, change: JwtClaims = {}, handle: () => unknown = () => {}) => {
  const token = await signJwt({ key, typ: 'secevent+jwt', claims: { ...claimsOf(server.issuer), ...change } });
  return to.receive(pushed(token), ({ id }) => {
    handled.push(id);
    return handle();
  });
};

test('an event is handled once, and its repeats are accepted', async () => {
  const to = receiver();
  expect(await push(to)).toMatchObject({ kind: 'handled', status: 202, headers: [], body: null });
  expect(await push(to)).toMatchObject({ kind: 'repeated', status: 202, body: null });
  expect(await push(to, { jti: 'another' })).toMatchObject({ kind: 'handled' });
  expect(handled).toHaveLength(2);
});

test('while it is handled another attempt is told to come later', async () => {
  const to = receiver();
  const slow = Promise.withResolvers<void>();
  const first = push(to, {}, () => slow.promise);
  await expect.poll(() => handled.length).toBe(1);
  expect(await push(to)).toEqual({ kind: 'refused', reason: 'in_progress', status: 503, headers: [['Retry-After', '10']], body: null });
  slow.resolve();
  expect([(await first).kind, (await push(to)).kind, handled.length]).toEqual(['handled', 'repeated', 1]);
});

test('a handler that fails is tried again', async () => {
  const to = receiver();
  const error = new Error('no disk');
  expect(await push(to, {}, () => Promise.reject(error))).toMatchObject({ kind: 'failed', status: 500, body: null, error });
  expect(await push(to)).toMatchObject({ kind: 'handled' });
});

test('nothing is handled that is refused, or that cannot be remembered', async () => {
  const away: SeenWebhooks = { ...createSeenWebhooks(() => now), claim: () => Promise.reject(new Error('away')) };
  expect(await push(receiver({ seen: away }))).toMatchObject({ reason: 'not_remembered', status: 503 });
  expect(await push(receiver(), { aud: 'another' })).toMatchObject({ reason: 'other_audience' });
  expect(handled).toEqual([]);
});

test('one store may serve several streams and webhooks: an id is known by its issuer and its audience', async () => {
  const seen = createSeenWebhooks(() => now);
  const id = String(claimsOf(server.issuer)['jti']);
  await seen.finish({ id, forgetAt: now / 1000 + 60 });
  const change = { aud: [audience, 'another'] };
  expect(await push(receiver({ seen }), change)).toMatchObject({ kind: 'handled' });
  expect(await push(receiver({ seen, audience: 'another' }), change)).toMatchObject({ kind: 'handled' });
  expect(await push(receiver({ seen }), change)).toMatchObject({ kind: 'repeated' });
});
