import type { CommitId, StreamId } from '@grantlog/eventsourcing';
import { createPool } from '@grantlog/postgres';
import { type AuditFilter, countAuditEvents, listAuditEvents, listCausedEvents, listGrantsAsOf } from '@grantlog/read-models';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../support/world.ts';
import { clinic, plant } from './support.ts';

// As in the plan test of the log: tables without statistics, and large ones with them.

const count = 200_000;
const uuidOf = (kind: string, n: number) => `00000000-${kind}-8000-8000-${String(n).padStart(12, '0')}` as StreamId;
const [account, client, session] = [uuidOf('0003', 1), uuidOf('0004', 1), uuidOf('0007', 1)];

let world: World;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  await plant(world, 'alter table audit_entry set (autovacuum_enabled = off)');
  await plant(world, 'alter table audit_stream set (autovacuum_enabled = off)');
});
afterAll(() => world.close());

/** Entries of two generations and two platforms; the live one is the second. */
const fill = async (): Promise<void> => {
  await plant(world, `insert into log (platform, lineage) values ($1, gen_random_uuid()) on conflict do nothing`, [clinic]);
  await plant(
    world,
    `insert into audit_entry (platform, generation, position, clock, stream_id, version, type, account, client, session, actor_kind, actor_id,
       trace, commit_id, cause_id, ip)
     select p, g, n, timestamptz '2026-01-01' + n * interval '1 second', uuid(9, n / 7), n % 7 + 1,
       (array['grant.authorized', 'grant.refreshed', 'sign_in.succeeded', 'client.used'])[n % 4 + 1],
       case when n % 3 = 0 then uuid(3, n % 1000) end, uuid(4, n % 50), case when n % 10 = 0 then uuid(7, n % 2000) end,
       'client', 'actor ' || n % 400, 'trace ' || n / 3, uuid(8, n / 2), case when n % 5 = 0 then uuid(8, n / 10) end, case when n % 20 = 0 then decode(md5((n % 700)::text), 'hex') end
     from generate_series(1, $1::int) n, unnest($2::text[]) p, generate_series(1, 2) g,
       lateral (select 1) as one
     `.replace(/uuid\((\d), ([^)]+)\)/g, `('00000000-000$1-8000-8000-' || lpad(($2)::text, 12, '0'))::uuid`),
    [count / 4, ['arlo', clinic]],
  );
  await plant(
    world,
    `insert into audit_stream (platform, generation, stream_id, account, client, session, began, ended)
     select p, g, gen_random_uuid(), ('00000000-0003-8000-8000-' || lpad((n % 500)::text, 12, '0'))::uuid,
       ('00000000-0004-8000-8000-' || lpad((n % 20)::text, 12, '0'))::uuid, null, n, case when n % 2 = 0 then n + 100 end
     from generate_series(1, 20000) n, unnest($1::text[]) p, generate_series(1, 2) g`,
    [['arlo', clinic]],
  );
  await plant(
    world,
    `insert into projection (name, platform, live_generation, live_version) select 'audit-index', p, 2, 1 from unnest($1::text[]) p`,
    [['arlo', clinic]],
  );
  await plant(world, `insert into subscription (name, platform, position) select 'audit-index@2', p, $2 from unnest($1::text[]) p`, [
    ['arlo', clinic],
    count / 4,
  ]);
};

const ip = Uint8Array.fromHex('c4ca4238a0b923820dcc509a6f75849b');
const commit = uuidOf('0008', 1) as string as CommitId;
const filters: Readonly<Record<string, AuditFilter>> = {
  pkey: {},
  account: { account },
  client: { client },
  session: { session },
  stream_id: { stream: uuidOf('0009', 5) },
  actor_id: { actor: { id: 'actor 7' } },
  type: { types: ['client.used'] },
  trace: { trace: 'trace 9' },
  commit_id: { commit },
  cause_id: { cause: commit },
  ip: { ip },
};
const keys: Readonly<Record<string, string | null>> = {
  pkey: null,
  account,
  client,
  session,
  stream_id: uuidOf('0009', 5),
  actor_id: 'actor 7',
  type: 'client.used',
  trace: 'trace 9',
  commit_id: commit,
  cause_id: commit,
  ip: ip.toHex(),
};
const drivers = Object.keys(keys);

type Node = { readonly 'Node Type': string; readonly 'Index Name'?: string; readonly Plans?: readonly Node[] };
const nodesOf = (node: Node): readonly Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** What stands around the scan of an index, and itself scans and sorts nothing. */
const around: ReadonlySet<string> = new Set(['Limit', 'Subquery Scan', 'Result', 'Nested Loop', 'Function Scan']);

/** How the walk of an index is planned, under the settings of the functions that walk. */
const planOf = async (driver: string, newest: boolean): Promise<readonly string[]> => {
  const pool = createPool({ connectionString: world.url, role: 'grantlog_api', max: 1 });
  try {
    const { rows: settings } = await pool.query<{ setting: string }>(
      `select unnest(proconfig) as setting from pg_proc where proname = 'audit_page'`,
    );
    for (const { setting } of settings) {
      const [name = '', value = ''] = setting.split('=');
      if (name.startsWith('enable_')) await pool.query(`select set_config($1, $2, false)`, [name, value]);
    }
    const walked = driver === 'pkey' ? 'position' : driver;
    const { rows } = await pool.query<{ walk: string }>('select audit_walk($1, $2) as walk', [walked, newest]);
    // As the functions have them: of these types, and known when the plan is made, but for the keys.
    const values = ['', `'${clinic}'::text`, '2', '', '0::bigint', `${count}::bigint`, '10000'];
    const walk = rows[0]?.walk.replaceAll(/\$(\d)/g, (_, number: string) => values[Number(number)] ?? '');
    const key = keys[driver] === null ? 'null' : `'${keys[driver]}'`;
    const explained = await pool.query<{ 'QUERY PLAN': readonly { readonly Plan: Node }[] }>(
      `explain (format json) select w.* from unnest(array[${key}]::text[]) as k(key) cross join lateral (${walk}) w`,
    );
    const [plan] = explained.rows[0]?.['QUERY PLAN'] ?? [];
    if (plan === undefined) throw new Error('no plan');
    return nodesOf(plan.Plan)
      .filter((node) => !around.has(node['Node Type']))
      .map((node) => `${node['Node Type']} ${node['Index Name'] ?? ''}`);
  } finally {
    await pool.end();
  }
};

const blocksOf = async (work: (pool: World['api']) => Promise<unknown>) => {
  const pool = createPool({ connectionString: world.url, role: 'grantlog_api', max: 1 });
  const read = async () => {
    await pool.query('select pg_stat_force_next_flush()');
    await pool.query('select 1');
    const { rows } = await world.pool.query<{
      readonly name: string;
      readonly scans: number;
      readonly blocks: number;
      readonly sequential: number;
    }>(
      `select i.indexrelname as name, i.idx_scan::int as scans,
         (select sum(coalesce(heap_blks_hit + heap_blks_read, 0) + coalesce(idx_blks_hit + idx_blks_read, 0))::int
          from pg_statio_user_tables where relname like 'audit_%') as blocks,
         (select sum(seq_scan)::int from pg_stat_user_tables where relname like 'audit_%') as sequential
       from pg_stat_user_indexes i where i.relname like 'audit_%'`,
    );
    return rows;
  };
  try {
    // Plans are made and catalogues read.
    for (let index = 0; index < 7; index += 1) await work(pool);
    const before = await read();
    await work(pool);
    const after = await read();
    const scansBefore = new Map(before.map(({ name, scans }) => [name, scans]));
    return {
      used: after.filter(({ name, scans }) => scans > (scansBefore.get(name) ?? 0)).map(({ name }) => name),
      blocks: (after[0]?.blocks ?? 0) - (before[0]?.blocks ?? 0),
      sequential: (after[0]?.sequential ?? 0) - (before[0]?.sequential ?? 0),
    };
  } finally {
    await pool.end();
  }
};

const checkPlans = async (): Promise<void> => {
  for (const driver of drivers) {
    expect([driver, ...(await planOf(driver, true))]).toEqual([driver, `Index Scan audit_entry_${driver}`]);
    expect([driver, ...(await planOf(driver, false))]).toEqual([driver, `Index Scan audit_entry_${driver}`]);
  }
};
// A descent of each index that is asked, an entry and its row; twice that where it is found how far was looked.
const blocksOfPage = 60 * 4 + 40;

const checkBlocks = async (): Promise<void> => {
  for (const [driver, filter] of Object.entries(filters)) {
    for (const order of ['newest', 'oldest'] as const) {
      const { used, blocks, sequential } = await blocksOf((pool) => listAuditEvents(pool, { platform: clinic, filter, order }));
      const named = [driver, used, sequential, blocks < blocksOfPage];
      expect(named, String(blocks)).toEqual([driver, [`audit_entry_${driver}`], 0, true]);
    }
  }
  const driverOf = async (filter: object): Promise<string | undefined> =>
    (await world.api.query<{ driver: string }>('select driver from audit_plan($1, $2, 0, $3)', [clinic, filter, count])).rows[0]?.driver;
  // Of two the one with fewer entries, whichever that is.
  expect(await driverOf({ types: ['client.used'], client })).toBe('client');
  expect(await driverOf({ types: ['grant.nothing'], client })).toBe('type');
  expect(await driverOf({ kinds: ['client'], actor_id: 'actor 8' })).toBe('actor_id');
  expect(await driverOf({ session, actor_id: 'nobody' })).toBe('session');
  expect(await driverOf({ session, trace: 'trace 9', since: '2026-01-01T00:00:00Z' })).toBe('trace');
  expect(await driverOf({ since: '2026-01-01T00:00:00Z' })).toBe('position');
  const since = Date.UTC(2026, 0, 1);
  const searched = await blocksOf((pool) =>
    listAuditEvents(pool, { platform: clinic, filter: { client, actor: { id: 'actor 8' }, types: ['client.*'], since }, order: 'newest' }),
  );
  expect([searched.sequential, searched.blocks < 8_000], String(searched.blocks)).toEqual([0, true]);
  const counted = await blocksOf((pool) => countAuditEvents(pool, { platform: clinic, filter: { types: ['grant.*'] }, cap: 1_000 }));
  expect([counted.sequential, counted.blocks < 2_600], String(counted.blocks)).toEqual([0, true]);
  const causes = Array.from({ length: 200 }, (_, n) => uuidOf('0008', n + 1) as string as CommitId);
  const led = await blocksOf((pool) => listCausedEvents(pool, { platform: clinic, causes, most: 500 }));
  const named = [led.used, led.sequential, led.blocks < 200 * 12];
  expect(named, String(led.blocks)).toEqual([['audit_entry_cause_id'], 0, true]);
  for (const [index, of] of [
    ['began', {}],
    ['client', { client }],
    ['account', { account }],
  ] as const) {
    const { used, blocks, sequential } = await blocksOf((pool) => listGrantsAsOf(pool, { platform: clinic, at: 10_000, ...of }));
    expect([index, used, sequential, blocks < 800], String(blocks)).toEqual([index, [`audit_stream_${index}`], 0, true]);
  }
};

describe('every index is walked in its own order, with nothing scanned and nothing sorted', () => {
  test('planned on tables that are empty', checkPlans);

  test('on tables that have grown since, without statistics', async () => {
    await fill();
    await checkPlans();
    await checkBlocks();
  });

  test('on large tables with statistics', async () => {
    await plant(world, 'analyze audit_entry, audit_stream');
    await checkPlans();
    await checkBlocks();
  });
});
