import { registerAccount } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';

const [email, password] = ['person@example.com', 'correct horse battery'];

let world: World;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;
  const outcome = await registerAccount(world.deps.provisioning, by, {
    platform: world.arlo,
    email,
    displayName: 'A Person',
    password,
    roles: [],
  });
  if (outcome.kind === 'refused') throw new Error(outcome.refusal);
});
afterAll(() => world.close());

/** What a sign-in costs: loads from the log, and passwords hashed. */
const signIn = async (form: { readonly email: string; readonly password: string }) => {
  const page = await world.app.inject('/arlo/sign-in');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
  const load = vi.spyOn(world.deps.log, 'load');
  const { passwords } = world.deps.provisioning;
  const hashed = [vi.spyOn(passwords, 'verify'), vi.spyOn(passwords, 'verifyAgainstNothing')];
  const response = await world.app.inject({
    method: 'POST',
    url: '/arlo/sign-in',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    cookies: Object.fromEntries(page.cookies.map(({ name, value }) => [name, value])),
    payload: new URLSearchParams({ csrf, ...form }).toString(),
  });
  const cost = { loads: load.mock.calls.length, streams: load.mock.calls.map(([, requests]) => requests.length), hashed: 0 };
  cost.hashed = hashed.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  vi.restoreAllMocks();
  return { status: response.statusCode, cost };
};

test('a person signs in with the right password alone', async () => {
  expect((await signIn({ email, password })).status).toBe(200);
  expect((await signIn({ email: ' Person@Example.com', password })).status).toBe(200);
  expect((await signIn({ email, password: `${password}!` })).status).toBe(400);
});

test('a refusal costs the same whether the email is known or not', async () => {
  const known = await signIn({ email, password: 'wrong' });
  expect(known).toMatchObject({ status: 400, cost: { hashed: 1 } });
  for (const each of ['nobody@example.com', '', 'x'.repeat(1_000)]) expect(await signIn({ email: each, password: 'wrong' })).toEqual(known);
  expect(await signIn({ email, password: 'x'.repeat(2_000) })).toEqual(known);
});
