import { randomUuid } from '@grantlog/crypto';
import type { CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import {
  type AuditEntry,
  type AuditFilter,
  countAuditEvents,
  countAuditEventsByType,
  listAuditEvents,
  listCausedEvents,
  readAuditEvents,
} from '@grantlog/read-models';
import { assert, asyncProperty, constantFrom, integer, option, record, subarray } from 'fast-check';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { type Actor, type Audit, allPages, clinic, newAccount, newClient, newStream, openAudit, plant, platform } from './support.ts';

const scene = useScene();

const types = ['grant.code_redeemed', 'grant.refreshed', 'grant.revoked'];
const traceOf = (n: number) => n.toString(16).padStart(32, '0');

/** Grants of some accounts and clients, refreshed by turns, so that everything has many entries and nothing has all. */
const traffic = async (audit: Audit, of: { readonly grants: number; readonly rounds: number; readonly on?: PlatformId }) => {
  const { on = clinic } = of;
  const [accounts, clients] = [
    [newAccount(), newAccount(), newAccount()],
    [newClient(), newClient()],
  ];
  const begun = Array.from({ length: of.grants }, (_, n) => ({
    grant: newStream(),
    account: accounts[n % 3] as StreamId,
    client: clients[n % 2] as StreamId,
    session: n % 4 === 0 ? newStream() : null,
  }));
  const by = (n: number, id: StreamId): Actor => ({ kind: n % 2 === 0 ? 'account' : 'client', id });
  for (const [n, { grant, ...terms }] of begun.entries())
    await audit.append([{ streamId: grant, events: [{ type: 'grant.authorized', data: terms }] }], {
      on,
      actor: by(n, terms.account),
      correlationId: `00-${traceOf((n % 5) + 1)}-00f067aa0ba902b7-01`,
    });
  for (let round = 1; round <= of.rounds; round += 1)
    for (const [n, { grant, account }] of begun.entries())
      await audit.append([{ streamId: grant, expected: round, events: [{ type: types[(n + round) % 3] ?? '', data: { round } }] }], {
        on,
        actor: by(n + round, account),
      });
  return { accounts, clients, begun };
};

test('any filter and any order find exactly what fits, in pages that give each entry once', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const { accounts, clients, begun } = await traffic(audit, { grants: 12, rounds: 6 });
  await audit.catchUp();
  const { entries } = await allPages(world, { order: 'oldest', limit: 1_000 });
  const [first, last] = [entries.at(0), entries.at(-1)] as readonly AuditEntry[] as readonly [AuditEntry, AuditEntry];
  const fits = (filter: AuditFilter) => (entry: AuditEntry) =>
    (filter.account === undefined || entry.account === filter.account) &&
    (filter.client === undefined || entry.client === filter.client) &&
    (filter.grant === undefined || entry.grant === filter.grant) &&
    (filter.session === undefined || entry.session === filter.session) &&
    (filter.stream === undefined || entry.streamId === filter.stream) &&
    (filter.actor === undefined ||
      (entry.actor.id === filter.actor.id && (filter.actor.kind === undefined || entry.actor.kind === filter.actor.kind))) &&
    (filter.types === undefined || filter.types.some((type) => type === entry.type || type === `${entry.type.split('.')[0]}.*`)) &&
    (filter.trace === undefined || entry.trace === filter.trace) &&
    (filter.commit === undefined || entry.commitId === filter.commit) &&
    entry.position >= (filter.from ?? 0) &&
    entry.position <= (filter.to ?? entry.position) &&
    entry.clock >= (filter.since ?? 0) &&
    entry.clock <= (filter.until ?? entry.clock);
  const maybe = <Value>(...values: readonly Value[]) => option(constantFrom(...values), { nil: undefined, freq: 1 });
  const ids = accounts.map((id) => ({ id }));
  const any = record({
    account: maybe(...accounts),
    client: maybe(...clients),
    grant: maybe(...begun.slice(0, 3).map(({ grant }) => grant), first.streamId),
    session: maybe(begun[0]?.session ?? first.streamId, begun[4]?.session ?? first.streamId),
    stream: maybe(...begun.slice(0, 3).map(({ grant }) => grant), first.streamId),
    actor: maybe<{ readonly id: string; readonly kind?: Actor['kind'] }>(
      ...ids,
      ...ids.map(({ id }) => ({ id, kind: 'client' as const })),
      { id: 'test' },
    ),
    types: option(
      subarray(['grant.revoked', 'grant.refreshed', 'grant.*', 'platform.*', 'signing_key.created', 'client.used', 'nothing.*']),
      { nil: undefined, freq: 1 },
    ),
    trace: maybe(traceOf(1), traceOf(2), 'test'),
    commit: maybe(...entries.slice(-9, -6).map(({ commitId }) => commitId)),
    from: option(integer({ min: first.position, max: last.position }), { nil: undefined, freq: 1 }),
    to: option(integer({ min: first.position, max: last.position }), { nil: undefined, freq: 1 }),
    since: maybe(...entries.slice(20, 24).map(({ clock }) => clock)),
    until: maybe(...entries.slice(-24, -20).map(({ clock }) => clock)),
  });
  // Most of them leave most out, or nothing would ever fit.
  const filters = record({
    whole: any,
    kept: subarray(
      ['account', 'client', 'grant', 'session', 'stream', 'actor', 'types', 'trace', 'commit', 'from', 'to', 'since', 'until'] as const,
      { maxLength: 4 },
    ),
  }).map(
    ({ whole, kept }) => Object.fromEntries(kept.flatMap((key) => (whole[key] === undefined ? [] : [[key, whole[key]]]))) as AuditFilter,
  );
  let found = 0;
  await assert(
    asyncProperty(filters, constantFrom('newest', 'oldest'), integer({ min: 1, max: 30 }), async (filter, order, limit) => {
      const expected = entries.filter(fits(filter));
      if (order === 'newest') expected.reverse();
      const listed = await allPages(world, { filter, order, limit });
      expect(listed.entries).toEqual(expected);
      const counted = await countAuditEvents(world.api, { platform: clinic, filter });
      expect(counted).toEqual({ count: expected.length, isExact: true });
      found += expected.length;
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(500);
});

test('a platform sees nothing of another one, whatever ids it asks for', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const { accounts, clients, begun } = await traffic(audit, { grants: 4, rounds: 2 });
  const elsewhere = await traffic(audit, { grants: 4, rounds: 2, on: platform });
  await audit.catchUp();
  const ours = { account: accounts[0], client: clients[0], grant: begun[0]?.grant, session: begun[0]?.session, stream: begun[0]?.grant };
  const theirs = {
    account: elsewhere.accounts[0],
    client: elsewhere.clients[0],
    grant: elsewhere.begun[0]?.grant,
    session: elsewhere.begun[0]?.session,
    stream: elsewhere.begun[0]?.grant,
    actor: { id: elsewhere.accounts[0] ?? '' },
  };
  const count = async (key: string, value: unknown) => (await allPages(world, { filter: { [key]: value } })).entries.length;
  for (const [key, value] of Object.entries(ours)) expect([key, (await count(key, value)) > 0]).toEqual([key, true]);
  for (const [key, value] of Object.entries(theirs)) expect([key, await count(key, value)]).toEqual([key, 0]);
  const everywhere = await allPages(world);
  expect(everywhere.entries.every(({ type, account }) => !type.startsWith('grant.') || accounts.includes(account as never))).toBe(true);
  const foreign = (await allPages(world, { platform, filter: { grant: theirs.grant as StreamId } })).entries;
  expect(foreign).toHaveLength(3);
  expect(await readAuditEvents(world.api, { platform: clinic, entries: foreign })).toEqual([]);
  const unknown = await listAuditEvents(world.api, { platform: 'nowhere' as PlatformId, filter: {}, order: 'newest' });
  expect(unknown).toEqual({ entries: [], next: null, through: 0, current: true });
});

test('pages do not shift under what is appended meanwhile', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await traffic(audit, { grants: 5, rounds: 3 });
  await audit.catchUp();
  const before = (await allPages(world, { limit: 1_000 })).entries;
  const seen: AuditEntry[] = [];
  for (let cursor: number | null | undefined; cursor !== null; ) {
    const page = await listAuditEvents(world.api, {
      platform: clinic,
      filter: {},
      order: 'newest',
      limit: 4,
      ...(cursor === undefined ? {} : { cursor }),
    });
    seen.push(...page.entries);
    cursor = page.next;
    await audit.append([{ streamId: newAccount(), events: [{ type: 'account.registered', data: {} }] }]);
    await audit.catchUp();
  }
  expect(seen).toEqual(before);
});

test('a page says how far the index has come, and waits for the position asked for', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const head = await audit.head();
  const ask = (minPosition: number) => listAuditEvents(world.api, { platform: clinic, filter: {}, order: 'newest', limit: 1, minPosition });
  expect(await ask(head)).toMatchObject({ through: head, current: true, entries: [{ position: head }] });
  await audit.append([{ streamId: newAccount(), events: [{ type: 'account.registered', data: {} }] }]);
  expect(await ask(head + 1)).toMatchObject({ through: head, current: false, entries: [{ position: head }] });
  const asked = ask(head + 1);
  await audit.catchUp();
  expect(await asked).toMatchObject({ through: head + 1, current: true, entries: [{ position: head + 1 }] });
});

test('what a page lists is read from the log as it stands there, personal data left sealed', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const account = newAccount();
  const signIn = await audit.signIn(account, '203.0.113.7');
  await audit.append([{ streamId: account, events: [{ type: 'account.disabled', data: { reason: 'asked' } }] }], {
    actor: { kind: 'operator', id: account },
    correlationId: 'a request',
  });
  await audit.catchUp();
  const { entries } = await allPages(world, { filter: { account } });
  const events = await readAuditEvents(world.api, { platform: clinic, entries: [...entries, { streamId: signIn, version: 2 }] });
  expect(events).toMatchObject([
    {
      streamId: account,
      type: 'account.disabled',
      data: { reason: 'asked' },
      hasPersonal: false,
      actor: { kind: 'operator', id: account },
      correlationId: 'a request',
      causationId: null,
      schemaVersion: 1,
      recordedAt: entries[0]?.clock,
    },
    { streamId: signIn, version: 1, hasPersonal: true, data: { account } },
  ]);
  expect(JSON.stringify(events)).not.toContain('203.0.113.7');
});

test('what came of a commit is found by it, of this platform alone; what names no commit as its cause is found by none', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  const cause = randomUuid() as CommitId;
  const caused = await audit.append([{ streamId: newAccount(), events: [{ type: 'account.disabled', data: {} }] }], { causationId: cause });
  const odd = await audit.append([{ streamId: newAccount(), events: [{ type: 'account.disabled', data: {} }] }], { causationId: 'a word' });
  await audit.append([{ streamId: newAccount(), events: [{ type: 'account.disabled', data: {} }] }], { causationId: cause, on: platform });
  await audit.catchUp();
  const { entries } = await allPages(world, { filter: { cause } });
  expect(entries.map(({ position }) => position)).toEqual([caused]);
  const { entries: all } = await allPages(world, { filter: { from: odd, to: odd } });
  expect(all).toHaveLength(1);
  const { events, through } = await listCausedEvents(world.api, { platform: clinic, causes: [cause, randomUuid() as CommitId], most: 10 });
  expect([events.map(({ position }) => position), through]).toEqual([[caused], odd]);
});

/** So many entries that no call may look at them all: of two accounts by turns, and of a type that neither has. */
const crowd = 30_000;
const plantCrowd = async (audit: Audit, accounts: readonly StreamId[]): Promise<number> => {
  const world = scene.world();
  const head = await audit.head();
  await plant(
    world,
    `insert into audit_entry (platform, generation, position, clock, stream_id, version, type, account, actor_kind, actor_id, trace, commit_id)
     select $1, 1, $2 + n, now() + n * interval '1 millisecond', gen_random_uuid(), 1,
       case when n in (1, $4) then 'account.erased' when n % 2 = 0 then 'account.disabled' else 'account.enabled' end,
       ($3::uuid[])[n % 2 + 1], case when n in (1, $4) then 'operator' else 'client' end, 'crowd', 'crowd', gen_random_uuid()
     from generate_series(1, $4::int) n`,
    [clinic, head, accounts, crowd * 2],
  );
  await world.pool.query(`update subscription set position = $2 where name = 'audit-index@1' and platform = $1`, [
    clinic,
    head + crowd * 2,
  ]);
  return head;
};

test('a call looks at a bounded number of entries, and pages reach what it does not', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const [odd, even] = [newAccount(), newAccount()];
  const head = await plantCrowd(audit, [even, odd]);
  // Both filters have 30,000 entries, and nothing fits both.
  const nothing = { account: odd, types: ['account.disabled'] };
  const first = await listAuditEvents(world.api, { platform: clinic, filter: nothing, order: 'newest' });
  expect(first).toMatchObject({ entries: [], next: head + crowd * 2 - 20_000 });
  expect(await allPages(world, { filter: nothing })).toEqual({ entries: [], pages: 3 });
  expect(await allPages(world, { filter: nothing, order: 'oldest' })).toEqual({ entries: [], pages: 3 });
  // One at either end, by a filter that has no index of its own.
  const filter = { actor: { kind: 'operator', id: 'crowd' } } as const;
  for (const order of ['newest', 'oldest'] as const) {
    const { entries, pages } = await allPages(world, { filter, order });
    expect(new Set(entries.map(({ position }) => position - head))).toEqual(new Set([1, crowd * 2]));
    expect(pages).toBeLessThanOrEqual(7);
  }
  // Two types share what one call may look at.
  const ofTypes = await allPages(world, { filter: { types: ['account.enabled', 'account.disabled'], client: newClient() } });
  expect(ofTypes).toMatchObject({ entries: [], pages: 1 });
  const merged = await allPages(world, { filter: { types: ['account.enabled', 'account.disabled'] }, limit: 1_000 });
  expect(merged.entries.map(({ position }) => position - head)).toEqual(Array.from({ length: crowd * 2 - 2 }, (_, n) => crowd * 2 - 1 - n));
});

test('a count is exact up to so many entries, and says where it is not', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const [odd, even] = [newAccount(), newAccount()];
  const head = await plantCrowd(audit, [even, odd]);
  const of = { platform: clinic, filter: { account: odd, from: head } };
  expect(await countAuditEvents(world.api, of)).toEqual({ count: 10_000, isExact: false });
  expect(await countAuditEvents(world.api, { ...of, cap: crowd })).toEqual({ count: crowd, isExact: true });
  expect(await countAuditEvents(world.api, { ...of, cap: crowd - 1 })).toEqual({ count: crowd - 1, isExact: false });
  expect(await countAuditEvents(world.api, { platform: clinic, filter: { from: head + 1 } })).toEqual({ count: 10_000, isExact: false });
  expect(await countAuditEventsByType(world.api, { platform: clinic, filter: { from: head + 1 }, cap: crowd * 2 })).toEqual({
    types: [
      { type: 'account.disabled', count: crowd - 1 },
      { type: 'account.enabled', count: crowd - 1 },
      { type: 'account.erased', count: 2 },
    ],
    isExact: true,
    through: head + crowd * 2,
  });
});
