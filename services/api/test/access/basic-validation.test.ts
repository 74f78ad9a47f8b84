import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { createExplorers, type Explorers, resourceOf } from './support/explorers.ts';

let world: World;
let explorers: Explorers;
let [open, strict, small, other] = [] as unknown as [PlatformId, PlatformId, PlatformId, PlatformId];
let caller: { readonly authorization: string };

beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  explorers = createExplorers(world);
  open = await explorers.configure('open');
  strict = await explorers.configure('strict', { signIn: { registration: 'open', mfa: 'required' } });
  small = await explorers.configure('small', { exploration: { days: 2, requestsPerDay: 3 }, documentation: null });
  other = await explorers.configure('other');
  caller = await explorers.server(open);
});
beforeEach(async () => {
  await world.deps.pool.query('delete from attempt_bucket');
});
afterAll(() => world.close());

const factor = { type: 'account.mfa_enrolled', data: { factor: 'totp', credentialId: crypto.randomUUID() } };
const lastAttempt = async (platform: PlatformId) => (await explorers.attempts(platform)).at(-1);

test('good credentials say who, with which roles, and when it ends', async () => {
  const person = await explorers.person(open, { roles: ['api_user', 'administrator'] });
  const before = (await explorers.attempts(open)).length;
  const { status, body, headers } = await explorers.ask(open, caller, person);
  expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
  const seconds = Date.now() / 1000;
  expect(body).toEqual({
    active: true,
    iss: 'http://localhost:4000/open',
    sub: person.id,
    aud: resourceOf('open'),
    roles: ['administrator', 'api_user'],
    account_kind: 'person',
    notice: {
      message: expect.stringContaining('Move to OAuth 2'),
      sunset: expect.any(Number),
      limit: 1_000,
      remaining: 999,
      reset: expect.any(Number),
      documentation: 'https://docs.example/oauth',
    },
  });
  const { sunset, reset } = body['notice'] as { sunset: number; reset: number };
  expect(Math.abs(sunset - (seconds + 30 * 86_400))).toBeLessThan(60);
  expect(Math.abs(reset - (86_400 - (seconds % 86_400)))).toBeLessThan(60);
  expect((await explorers.ask(open, caller, person)).body).toMatchObject({ notice: { sunset, remaining: 998 } });
  // A good check is no event.
  expect((await explorers.attempts(open)).length).toBe(before);
});

describe('what is refused', () => {
  test('a wrong password and an unknown email read the same and are recorded alike', async () => {
    const { email, id } = await explorers.person(open);
    const [wrong, unknown] = [
      await explorers.ask(open, caller, { email, password: 'wrong' }),
      await explorers.ask(open, caller, { email: 'nobody@example.com', password: 'wrong' }),
    ];
    expect(wrong.body).toMatchObject({ active: false, reason: 'invalid_credentials', description: expect.any(String) });
    expect(unknown).toMatchObject({ status: wrong.status, body: wrong.body });
    expect((await explorers.attempts(open)).slice(-2).map(({ data }) => data)).toEqual([
      { account: id, reason: 'wrong_password', via: 'basic' },
      { account: null, reason: 'unknown_account', via: 'basic' },
    ]);
    expect((await lastAttempt(open))?.actor.kind).toBe('client');
  });

  test('an empty password is a wrong one', async () => {
    const { email } = await explorers.person(open);
    expect((await explorers.ask(open, caller, { email, password: '' })).body).toMatchObject({ reason: 'invalid_credentials' });
  });

  test('a disabled account, to who knows its password alone', async () => {
    const person = await explorers.person(open);
    await explorers.happen(open, person.id, { type: 'account.disabled', data: { reason: 'requested' } });
    expect((await explorers.ask(open, caller, { ...person, password: 'wrong' })).body).toMatchObject({ reason: 'invalid_credentials' });
    expect((await explorers.ask(open, caller, person)).body).toMatchObject({ active: false, reason: 'account_unusable' });
    expect((await lastAttempt(open))?.data).toMatchObject({ account: person.id, reason: 'account_disabled', via: 'basic' });
  });

  test('everybody while the platform is suspended, to who knows a password alone', async () => {
    const platform = await explorers.configure('resting');
    const [server, person] = [await explorers.server(platform), await explorers.person(platform)];
    await explorers.happen(platform, '00000000-0001-8000-8000-000000000000' as never, {
      type: 'platform.suspended',
      data: { reason: 'requested' },
    });
    expect((await explorers.ask(platform, server, person)).body).toMatchObject({ active: false, reason: 'account_unusable' });
    expect((await explorers.ask(platform, server, { ...person, password: 'x' })).body).toMatchObject({ reason: 'invalid_credentials' });
  });

  test('an account with a second factor that its owner may switch off, and where', async () => {
    const person = await explorers.person(open);
    await explorers.happen(open, person.id, factor);
    const { body } = await explorers.ask(open, caller, person);
    expect(body).toMatchObject({ active: false, reason: 'second_factor_enabled', documentation: 'https://docs.example/oauth' });
    expect(body['description']).toContain('http://localhost:4000/open/security');
    expect((await lastAttempt(open))?.data).toMatchObject({ account: person.id, reason: 'second_factor_needed', via: 'basic' });
    expect((await explorers.ask(open, caller, { ...person, password: 'x' })).body).toMatchObject({ reason: 'invalid_credentials' });
  });

  test('people where a second factor is required, with or without one; an integration account is let through', async () => {
    const server = await explorers.server(strict);
    const [without, enrolled, program] = [
      await explorers.person(strict),
      await explorers.person(strict),
      await explorers.person(strict, { kind: 'integration', roles: ['api_user'] }),
    ];
    await explorers.happen(strict, enrolled.id, factor);
    expect((await explorers.ask(strict, server, without)).body).toMatchObject({
      reason: 'second_factor_required',
      description: expect.stringContaining('integration account'),
    });
    const told = (await explorers.ask(strict, server, enrolled)).body;
    expect(told).toMatchObject({ reason: 'second_factor_enabled', description: expect.stringContaining('integration account') });
    expect(told['description']).not.toContain('/security');
    expect((await explorers.ask(strict, server, program)).body).toMatchObject({
      active: true,
      account_kind: 'integration',
      roles: ['api_user'],
    });
  });

  test('more than the day holds, until the day ends; and everything once the days are over, until an operator resets them', async () => {
    const [server, person] = [await explorers.server(small), await explorers.person(small)];
    const remaining = [];
    for (let nth = 0; nth < 3; nth += 1) remaining.push((await explorers.ask(small, server, person)).body['notice']);
    expect(remaining.map((notice) => (notice as { remaining: number }).remaining)).toEqual([2, 1, 0]);
    const full = (await explorers.ask(small, server, person)).body;
    expect(full).toMatchObject({ active: false, reason: 'daily_limit_reached', retry_after: expect.any(Number) });
    expect(full['description']).toContain('OAuth 2');
    expect('documentation' in full).toBe(false);

    const age = (days: number) =>
      world.deps.pool.query(
        'update basic_use set day = day - $2::int, first_used_at = first_used_at - make_interval(days => $2) where account = $1',
        [person.id, days],
      );
    await age(1);
    expect((await explorers.ask(small, server, person)).body).toMatchObject({ active: true, notice: { remaining: 2 } });
    await age(1);
    const over = (await explorers.ask(small, server, person)).body;
    expect(over).toMatchObject({ active: false, reason: 'exploration_ended', description: expect.stringContaining('2 days') });

    const operator = await world.operator('operator');
    const reset = `/small/manage/accounts/${person.id}/reset-exploration`;
    expect(await world.call(operator, 'POST', reset)).toMatchObject({ status: 200, body: { reset: true } });
    expect(await world.call(operator, 'POST', reset)).toMatchObject({ status: 200, body: { reset: false } });
    expect((await explorers.ask(small, server, person)).body).toMatchObject({ active: true, notice: { remaining: 2 } });
    expect((await world.call(operator, 'POST', `/other/manage/accounts/${person.id}/reset-exploration`)).status).toBe(404);
    expect((await world.call(await world.operator('operator:other'), 'POST', reset)).status).toBe(403);
  });

  test('an eleventh wrong password of an account from one address, by the address that the caller names, shared with the form', async () => {
    const person = await explorers.person(open);
    const from = (address: string, password: string) => explorers.ask(open, caller, { ...person, password }, { client_address: address });
    for (let nth = 0; nth < 5; nth += 1)
      expect((await from('203.0.113.20', 'wrong')).body).toMatchObject({ reason: 'invalid_credentials' });
    for (let nth = 0; nth < 5; nth += 1)
      expect((await explorers.browser(open, '203.0.113.20').signIn({ ...person, password: 'wrong' })).status).toBe(400);
    const { body } = await from('203.0.113.20', person.password);
    expect(body).toMatchObject({ active: false, reason: 'too_many_attempts', retry_after: expect.any(Number) });
    expect(body['retry_after']).toBeLessThanOrEqual(20);
    expect((await explorers.browser(open, '203.0.113.20').signIn(person)).status).toBe(429);
    expect((await from('203.0.113.21', person.password)).body).toMatchObject({ active: true });
  });

  test('nothing because of good requests: what they took is given back', async () => {
    const person = await explorers.person(open);
    for (let nth = 0; nth < 15; nth += 1) expect((await explorers.ask(open, caller, person)).body).toMatchObject({ active: true });
  });
});

describe('who may ask', () => {
  test('a client that serves the resource; no other client, no public one, and about no other resource', async () => {
    const person = await explorers.person(open);
    const idle = await explorers.server(open, []);
    expect(await explorers.ask(open, idle, person)).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    expect(await explorers.ask(open, caller, person, { resource: 'https://elsewhere.example' })).toMatchObject({
      body: { error: 'invalid_target' },
    });
    expect(await explorers.ask(open, caller, person, { resource: '' })).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await explorers.ask(open, { authorization: 'Basic eDp5' }, person)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect((await explorers.attempts(open)).filter(({ data }) => (data as { account?: string }).account === person.id)).toEqual([]);
  });

  test.each([
    ['names no address of who typed the password', ''],
    ['names something else', 'nowhere'],
    ['names several', '203.0.113.1, 203.0.113.2'],
  ])('nobody who %s: all would count as one, and a stranger could lock them out', async (_, address) => {
    const person = await explorers.person(open);
    for (const password of [person.password, 'wrong']) {
      expect(await explorers.ask(open, caller, { ...person, password }, { client_address: address })).toMatchObject({
        status: 400,
        body: { error: 'invalid_request', error_description: expect.stringContaining('client_address') },
      });
    }
    expect((await explorers.attempts(open)).filter(({ data }) => (data as { account?: string }).account === person.id)).toEqual([]);
    const { rows } = await world.deps.pool.query('select 1 from attempt_bucket');
    expect(rows).toEqual([]);
  });

  test('no client of another platform, and no account of another is good', async () => {
    const [person, foreign] = [await explorers.person(open), await explorers.person(other)];
    const otherServer = await explorers.server(other);
    expect(await explorers.ask(open, otherServer, person)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect((await explorers.ask(open, caller, foreign)).body).toMatchObject({ active: false, reason: 'invalid_credentials' });
    expect(await explorers.ask(open, caller, person, { resource: resourceOf('other') })).toMatchObject({
      body: { error: 'invalid_target' },
    });
  });

  test('nobody on a platform that does not take HTTP Basic', async () => {
    const server = await explorers.server(world.arlo, []);
    expect((await explorers.ask(world.arlo, server, { email: 'a@b.c', password: 'x' })).status).toBe(404);
  });
});

test('no password, email or address is in the log of events', async () => {
  const person = await explorers.person(open);
  await explorers.ask(open, caller, { email: person.email, password: 'a wrong password' }, { client_address: '203.0.113.99' });
  const text = await world.everything();
  for (const secret of [person.email, person.password, 'a wrong password', '203.0.113.99']) expect(text).not.toContain(secret);
});
