import { changeClient, changePlatform } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { by, openRegistrations, type Registrations } from './support/registrations.ts';

/** What an operator has set for a client that registered itself is not the client's to take back. */
let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const app = { client_name: 'An app', redirect_uris: ['https://a.example/cb'], token_endpoint_auth_method: 'none' };

test('an update gives a client back neither the scopes nor the place that an operator took or gave', async () => {
  const { id, token } = await world.registered(app);
  const changes = { scopes: ['vault:read'], serves: ['https://home.example/mcp'] };
  await changeClient(world.deps.provisioning, by, { platform: world.home, clientId: id, command: { type: 'update', changes } });
  const { status, body } = await world.manage('PUT', id, token, {
    ...app,
    client_id: id,
    client_name: 'Newer',
    scope: 'vault:write account',
  });
  expect([status, body['client_name'], body['scope']]).toEqual([200, 'Newer', 'vault:read']);
  const names = await world.deps.directory.open(world.home);
  const { rows } = await world.deps.pool.query<{ data: object }>(
    `select data from event where platform = 'home' and stream_id = $1 order by version desc limit 1`,
    [names?.client(id)],
  );
  expect(rows[0]?.data).toEqual({ name: 'Newer' });
  expect((await world.manage('GET', id, token)).body['scope']).toBe('vault:read');
});

test('a platform that its operator has suspended takes no changes of registrations, as it takes no registrations', async () => {
  const platform = await world.configure('frozen');
  const { id, token } = await world.registered(app, 'frozen');
  await changePlatform(world.deps.provisioning, by, { platform, command: { type: 'suspend', reason: 'abuse' } });
  const before = await world.head(platform);
  const refused = { body: { error: 'temporarily_unavailable' } };
  expect(await world.register(app, 'frozen')).toMatchObject(refused);
  expect(await world.manage('PUT', id, token, { ...app, client_id: id, client_name: 'Newer' }, 'frozen')).toMatchObject(refused);
  expect(await world.manage('DELETE', id, token, undefined, 'frozen')).toMatchObject(refused);
  expect(await world.head(platform)).toBe(before);
});

test('changes and ends that come at the same time are answered each, and the end is the last', async () => {
  const { id, token } = await world.registered(app);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      n % 2 === 0 ? world.manage('PUT', id, token, { ...app, client_id: id, client_name: `Name ${n}` }) : world.manage('DELETE', id, token),
    ),
  );
  expect(answers.map(({ status }) => status).filter((status) => ![200, 204, 401].includes(status))).toEqual([]);
  expect((await world.manage('GET', id, token)).status).toBe(401);
  expect((await world.authorize(id)).status).toBe(400);
});
