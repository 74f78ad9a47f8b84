import { consumeOnce, createPool, ensureSubscriptions, transaction } from '@grantlog/postgres';
import { ensureGenerations, grantList, subscriptionOf } from '@grantlog/read-models';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { listConnections } from '../../src/pages/connections-list.ts';
import { endConnection } from '../../src/pages/end-connection.ts';
import { type Delegates, mail, openDelegates } from './support/delegates.ts';

let delegates: Delegates;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
});
afterAll(() => delegates.world.close());

/** Runs the list's projection as the worker does, until it has nothing left to do. */
const project = async (): Promise<void> => {
  const pool = createPool({ connectionString: delegates.world.databaseUrl, role: 'grantlog_worker', max: 2 });
  try {
    await transaction(pool, (client) => ensureGenerations(client, grantList));
    const subscription = subscriptionOf(grantList, 1);
    await ensureSubscriptions(pool, [subscription.name]);
    for (;;) {
      const outcome = await consumeOnce(pool, [subscription]);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') return;
    }
  } finally {
    await pool.end();
  }
};

test('a person sees what they allowed and through whom it acts, and ends all of it at once', async () => {
  const { platform, world, assistant, calendarServer, mailServer } = delegates;
  const { deps } = world;
  const names = await deps.directory.open(platform);
  if (names === null) throw new Error('the platform is not there');
  const account = await delegates.person();
  const { id, token } = await delegates.allow({ to: assistant, account });
  const narrowed = await delegates.passOn(assistant, token, { scope: 'read' });
  const passed = [
    await delegates.passOn(calendarServer, token, { resource: mail }),
    await delegates.passOn(calendarServer, token, { resource: mail }),
    await delegates.passOn(calendarServer, narrowed),
  ];
  await project();
  const list = async () => (await listConnections(deps, names, { account, before: undefined, minPosition: undefined })).connections;
  expect(await list()).toMatchObject([{ grantId: id, name: 'Assistant', passedOnTo: ['Calendar server'] }]);

  await endConnection(deps, { platform, account, grant: id, correlationId: 'test' });
  expect(await list()).toEqual([]);
  for (const each of passed) expect(await delegates.introspect(mailServer, each)).toEqual({ active: false });
});

test('what has ended is passed on no more', async () => {
  const { platform, world, assistant, calendarServer } = delegates;
  const names = await world.deps.directory.open(platform);
  if (names === null) throw new Error('the platform is not there');
  const account = await delegates.person();
  const { id, token } = await delegates.allow({ to: assistant, account });
  const passed = await delegates.passOn(calendarServer, token, { resource: mail });
  await delegates.send(calendarServer, '/oauth/revoke', { token: passed });
  await project();
  const { connections } = await listConnections(world.deps, names, { account, before: undefined, minPosition: undefined });
  expect(connections).toMatchObject([{ grantId: id, passedOnTo: [] }]);
});
