import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openRegistrations, type Registrations } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const app = (uris: number) => ({
  client_name: 'An app',
  redirect_uris: Array.from({ length: uris }, (_, n) => `https://a.example/${'x'.repeat(1_000)}/${n}`),
  token_endpoint_auth_method: 'none',
});

test('a registration larger than any client needs is refused and writes nothing, and neither does an update', async () => {
  const { id, token } = await world.registered(app(10));
  const before = await world.head(world.home);
  const refused = await world.register(app(40));
  expect([refused.status, refused.body['error']]).toEqual([413, 'invalid_request']);
  expect(await world.manage('PUT', id, token, { ...app(40), client_id: id })).toMatchObject({ status: 413 });
  expect(await world.head(world.home)).toBe(before);
});
