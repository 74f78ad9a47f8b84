import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { status } from './authorization-server.ts';
import { type BearerWorld, nowSeconds, openBearerWorld } from './bearer-world.ts';
import { challengesOf, headerOf } from './challenges.ts';

let world: BearerWorld;

beforeAll(async () => {
  world = await openBearerWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

describe('an authorization server that cannot judge a token', () => {
  test.each([
    ['answers 500', status(500), 'unreachable', '5'],
    ['answers 503 and says when', status(503, { 'retry-after': '17' }), 'unreachable', '17'],
    ['is too busy', status(429, { 'retry-after': '99999999' }), 'unreachable', '3600'],
    ['says when in words', status(503, { 'retry-after': 'soon' }), 'unreachable', '5'],
    ['redirects', status(302, { location: 'https://elsewhere.example/' }), 'unusable_answer', '5'],
    ['answers with HTML', status(200, { 'content-type': 'text/html' }, '{"active":true}'), 'unusable_answer', '5'],
    ['answers with broken JSON', status(200, { 'content-type': 'application/json' }, '{"active":'), 'unusable_answer', '5'],
    ['answers with a list', status(200, { 'content-type': 'application/json' }, '[]'), 'unusable_answer', '5'],
    [
      'answers without end',
      status(200, { 'content-type': 'application/json' }, `{"active":false,"a":"${'x'.repeat(70_000)}"}`),
      'unusable_answer',
      '5',
    ],
    ['says neither yes nor no', { active: 'true' }, 'unusable_answer', '5'],
    ['refuses our client', status(401), 'client_refused', '5'],
  ])('that %s is 503 with Retry-After, never an allowance', async (_, reply, kind, retryAfter) => {
    world.server.reply('introspection', reply);
    const outcome = await world.check();
    expect(outcome).toMatchObject({ kind: 'refused', status: 503, body: { error: 'temporarily_unavailable' } });
    expect(headerOf(outcome, 'Retry-After')).toBe(retryAfter);
    expect(challengesOf(outcome)).toEqual([]);
    expect(world.problems).toMatchObject([{ kind }]);
  });

  test('that does not answer in time is 503', async () => {
    world.server.reply('introspection', () => {});
    const outcome = await world.guard({ timeoutMs: 100 }).check({ authorization: 'Bearer tok', scope: ['read'] });
    expect(outcome).toMatchObject({ status: 503 });
    expect(world.problems).toMatchObject([{ kind: 'unreachable', message: expect.stringContaining('within 100 ms') }]);
  });

  test('that refuses our client is told with what to fix, and without any secret', async () => {
    world.server.reply('introspection', status(401));
    await world.check('a-secret-token');
    expect(world.problems[0]?.message).toMatch(/check clientId and clientSecret.* serves http/);
    expect(JSON.stringify(world.problems)).not.toMatch(/s\+c|a-secret-token/);
  });

  test('is told of once a minute, not at every request', async () => {
    world.server.reply('introspection', status(500));
    let now = nowSeconds * 1000;
    const one = world.guard({ now: () => now });
    const ask = () => one.check({ authorization: 'Bearer tok', scope: [] });
    await ask();
    await ask();
    expect(world.problems).toHaveLength(1);
    now += 60_000;
    await ask();
    expect(world.problems).toHaveLength(2);
  });

  test('stays 503 when whoever is told fails', async () => {
    world.server.reply('introspection', status(500));
    const failing = world.guard({
      onProblem: () => {
        throw new Error('the log is full');
      },
    });
    expect(await failing.check({ authorization: 'Bearer tok', scope: [] })).toMatchObject({ status: 503 });
  });
});

test('whoever has gone is not asked about any longer, and nobody is told of a problem', async () => {
  const gone = new AbortController();
  const hungUp = Promise.withResolvers<void>();
  world.server.reply('introspection', (_, response) => {
    response.once('close', hungUp.resolve);
    gone.abort();
  });
  const outcome = await world.guard().check({ authorization: 'Bearer tok', scope: ['read'], signal: gone.signal });
  expect(outcome).toMatchObject({ kind: 'refused', status: 503 });
  await hungUp.promise;
  expect(world.problems).toEqual([]);
});
