import type { StreamId } from '@grantlog/eventsourcing';
import { deleteDataKeys, deleteForgottenDataKeys, transaction } from '@grantlog/postgres';
import { requestRebuild } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { allPages, clinic, newAccount, newStream, openAudit } from './support.ts';

const scene = useScene();
const [here, there] = ['203.0.113.7', '2001:db8::7'] as const;

const begin = async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  /** Streams whose events came from an address, as far as the index still knows it. */
  const from = async (address: string): Promise<readonly StreamId[]> => {
    const ip = audit.names.address(address);
    if (ip === null) throw new Error(`${address} is no address`);
    return (await allPages(world, { order: 'oldest', filter: { ip } })).entries.map(({ streamId }) => streamId);
  };
  const hashes = async () => {
    const { rows } = await world.pool.query<{ generation: number; hashes: number }>(
      'select generation, count(ip)::int as hashes from audit_entry where platform = $1 group by 1 order by 1',
      [clinic],
    );
    return rows.map(({ generation, hashes: known }) => [generation, known]);
  };
  /** An agent's session that began somewhere. */
  const session = async (address: string): Promise<StreamId> => {
    const streamId = newStream();
    const personal = await audit.sealedAddress(streamId, streamId, address);
    await audit.append([{ streamId, events: [{ type: 'session.started', data: { client: newStream() }, personal }] }]);
    return streamId;
  };
  const link = (streamId: StreamId, account: StreamId) =>
    audit.append([{ streamId, expected: 1, events: [{ type: 'session.linked', data: { account, signIn: newStream() } }] }]);
  return { world, audit, from, hashes, session, link };
};

test('what came from an address is found by it, however it is spelled', async () => {
  const { audit, from } = await begin();
  const account = newAccount();
  const first = await audit.signIn(account, here);
  const mapped = await audit.signIn(account, '::ffff:203.0.113.7');
  const hexadecimal = await audit.signIn(newAccount(), '::FFFF:cb00:7107');
  const other = await audit.signIn(account, '2001:0DB8:0:0::0007%eth0');
  await audit.signIn(account, 'nowhere');
  await audit.catchUp();
  expect(await from(here)).toEqual([first, mapped, hexadecimal]);
  expect(await from(there)).toEqual([other]);
  expect(await from('203.0.113.8')).toEqual([]);
});

test('the hash of an address says nothing without the key of its platform, and is no name of it', async () => {
  const { audit } = await begin();
  const hash = audit.names.address(here);
  expect(hash).toHaveLength(16);
  expect(audit.names.address(here)).toEqual(hash);
  expect(audit.names.address(there)).not.toEqual(hash);
  expect(audit.names.email(here).replaceAll('-', '')).not.toBe(hash?.toHex());
});

test('an erased account takes along every hash of its addresses, in the generation that is read and in the one that is built', async () => {
  const { world, audit, from, hashes, session, link } = await begin();
  const [leaving, staying] = [newAccount(), newAccount()];
  await audit.signIn(leaving, here);
  const [hers, his] = [await session(here), await session(there)];
  await link(hers, leaving);
  await link(his, staying);
  const kept = await audit.signIn(staying, here);
  await audit.catchUp();
  await requestRebuild(world.pool, audit.index);
  // The building generation takes the events in and is not swapped in before it has caught up with this one.
  await world.pool.query(`update subscription set position = position + 1 where name = 'audit-index@1' and platform = $1`, [clinic]);
  await audit.catchUp();
  await world.pool.query(`update subscription set position = position - 1 where name = 'audit-index@1' and platform = $1`, [clinic]);
  expect(await hashes()).toEqual([
    [1, 4],
    [2, 4],
  ]);
  await audit.append([{ streamId: leaving, events: [{ type: 'account.erased', data: {} }] }]);
  await audit.carryOutErasures();
  expect(await hashes()).toEqual([
    [1, 2],
    [2, 2],
  ]);
  await audit.catchUp();
  expect(await from(here)).toEqual([kept]);
  expect(await from(there)).toEqual([his]);
  await requestRebuild(world.pool, audit.index);
  await audit.catchUp();
  expect(await hashes()).toContainEqual([3, 2]);
  expect(await from(here)).toEqual([kept]);
});

test('a session that nobody was linked to takes its hash along with its key', async () => {
  const { world, audit, from, session } = await begin();
  const [forgotten, kept] = [await session(here), await session(here)];
  await audit.catchUp();
  await world.pool.query('update data_key set forget_at = now() where subject = $1', [forgotten]);
  await deleteForgottenDataKeys(world.pool);
  expect(await from(here)).toEqual([kept]);
});

test('an erasure in the middle of a batch waits for it and finds its hashes', async () => {
  const { world, audit, from } = await begin();
  const account = newAccount();
  await audit.signIn(account, here);
  let erased: Promise<unknown> = Promise.resolve();
  await audit.catchUp({
    ...audit.index,
    consume: async (client, target, events) => {
      await audit.index.consume(client, target, events);
      // Nothing of this batch is to be seen yet, so an erasure that did not wait would find nothing to blank.
      if (target.platform === clinic)
        erased = transaction(world.pool, (other) => deleteDataKeys(other, { platform: clinic, subjects: [account] }));
      await new Promise((resolve) => setTimeout(resolve, 300));
    },
  });
  await erased;
  expect(await from(here)).toEqual([]);
});

test('an erasure that has begun before a batch leaves it no hash', async () => {
  const { world, audit, from } = await begin();
  const account = newAccount();
  await audit.signIn(account, here);
  await transaction(world.pool, async (client) => {
    await deleteDataKeys(client, { platform: clinic, subjects: [account] });
    await audit.catchUp();
  });
  expect(await from(here)).toEqual([]);
  expect((await allPages(world, { filter: { account } })).entries).toHaveLength(1);
});
