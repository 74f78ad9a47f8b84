import type { StreamId } from '@grantlog/eventsourcing';
import { type GrantAsOf, type GrantsAsOfQuery, listGrantsAsOf } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { clinic, newAccount, newClient, newStream, openAudit, plant, platform } from './support.ts';

const scene = useScene();

const all = async (query: Omit<GrantsAsOfQuery, 'platform'> & { readonly platform?: GrantsAsOfQuery['platform'] }) => {
  const grants: GrantAsOf[] = [];
  let cursor: number | null = null;
  for (let pages = 1; ; pages += 1) {
    const page = await listGrantsAsOf(scene.world().api, { platform: clinic, ...query, cursor });
    grants.push(...page.grants);
    cursor = page.next;
    if (cursor === null) return { grants, pages };
  }
};

test('every grant that lived at a position is found as of it, by its client and its account as well', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const [accounts, clients] = [
    [newAccount(), newAccount()],
    [newClient(), newClient()],
  ] as const;
  const start = await audit.head();
  const lives = new Map<StreamId, { readonly account: StreamId; readonly client: StreamId; readonly from: number; to: number }>();
  const open: StreamId[] = [];
  for (let n = 0; n < 40; n += 1) {
    const over = n % 3 === 2 ? open.splice((n * 7) % open.length, 1)[0] : undefined;
    const life = over === undefined ? undefined : lives.get(over);
    if (over !== undefined && life !== undefined) {
      const type = n % 2 === 0 ? 'grant.revoked' : 'grant.expired';
      life.to = await audit.append([{ streamId: over, expected: 1, events: [{ type, data: {} }] }]);
      continue;
    }
    const [grant, account, client] = [newStream(), accounts[n % 2] as StreamId, clients[(n >> 1) % 2] as StreamId];
    const from = await audit.append([
      { streamId: grant, events: [{ type: 'grant.authorized', data: { account, client, session: null } }] },
    ]);
    lives.set(grant, { account, client, from, to: Number.MAX_SAFE_INTEGER });
    open.push(grant);
  }
  await audit.append([
    { streamId: newStream(), events: [{ type: 'grant.denied', data: { account: accounts[0], client: clients[0], session: null } }] },
  ]);
  await audit.catchUp();
  const head = await audit.head();
  const [account, client] = [accounts[0], clients[1]];
  for (let at = start; at <= head; at += 1)
    for (const of of [{}, { account }, { client }, { account, client }] as { account?: StreamId; client?: StreamId }[]) {
      const expected = [...lives]
        .filter(([, { from, to }]) => from <= at && at < to)
        .filter(([, life]) => (of.account ?? life.account) === life.account && (of.client ?? life.client) === life.client)
        .map(([id]) => id)
        .reverse();
      const { grants } = await all({ at, ...of, limit: 3 });
      expect(grants.map(({ grantId }) => grantId)).toEqual(expected);
    }
  expect((await all({ at: head, platform })).grants).toEqual([]);
  expect((await all({ at: head, account: newAccount() })).grants).toEqual([]);
});

test('a call looks at a bounded number of grants, and says where the index stands', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const head = await audit.head();
  const account = newAccount();
  // All but the first ended at once.
  await plant(
    world,
    `insert into audit_stream (platform, generation, stream_id, account, began, ended)
     select $1, 1, gen_random_uuid(), $3, $2 + n, case when n > 1 then $2 + n + 1 end from generate_series(1, 45000) n`,
    [clinic, head, account],
  );
  const at = head + 50_000;
  const first = await listGrantsAsOf(world.api, { platform: clinic, at });
  expect(first).toEqual({ grants: [], next: head + 35_001, through: head });
  const found = await all({ at, account });
  expect(found).toMatchObject({ grants: [{ began: head + 1, ended: null, account }], pages: 5 });
});
