import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { type Described, openDescribed } from '../metadata-documents/support/described.ts';
import { createKeyedClients, type KeyedClients, makeKey, shown, signed } from './support/keyed-clients.ts';

/** Keys by URL of clients that nobody has let in: whoever registers may not send us to a site as often as they like. */
let world: Described;
let clients: KeyedClients;
beforeAll(async () => {
  world = await openDescribed(inject('databaseUrl'));
  clients = createKeyedClients(world);
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const key = makeKey('ES256');
const strangers = (path: string) =>
  Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      clients.register(world.home, { jwksUri: `${world.site.origin}${path}/${n}` }, { how: 'dynamic', grantTypes: ['authorization_code'] }),
    ),
  );

test('of many clients that registered themselves are fetched within the budget of who asks', async () => {
  const before = world.site.asked.length;
  for (const client of await strangers('/keys')) await clients.exchange(client, shown(signed(key, clients.claims(client))));
  expect(world.site.asked.length - before).toBeLessThanOrEqual(32);
});

test('of a client of an operator are fetched whatever strangers have used up', async () => {
  for (const client of await strangers('/more-keys')) await clients.exchange(client, shown(signed(key, clients.claims(client))));
  world.site.answer('/operators-keys', (_request, reply) =>
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [key.jwk] })),
  );
  const client = await clients.register(
    world.home,
    { jwksUri: `${world.site.origin}/operators-keys` },
    { grantTypes: ['authorization_code'] },
  );
  const form = { token: 'x', ...shown(signed(key, clients.claims(client))) };
  expect(await clients.send(`/${world.home}/oauth/introspect`, form)).toMatchObject({ status: 200, body: { active: false } });
});
