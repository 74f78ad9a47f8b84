import type { GrantId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { createPool } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { indexEvents } from './support/index-events.ts';

// As in the plan tests of the log and of the index: tables that have grown without statistics, and with them.

const count = 60_000;

let world: World;
let auditor: string;
let grant: { readonly id: GrantId; readonly accessToken: string };
let of: { readonly client: string; readonly clientId: string; readonly account: StreamId };
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  auditor = await (await world.machine(['auditor'])).token({ scope: 'audit' });
  const machine = await world.machine([], { platform: world.arlo });
  const person = await world.account(world.arlo);
  const parties = { platform: world.arlo, client: machine.stream, clientId: machine.clientId, account: person.id, scopes: ['read'] };
  const made = await world.grant(parties);
  of = { client: machine.stream, clientId: machine.clientId, account: person.id };
  grant = { id: made.id, accessToken: made.accessToken };
  await asOwner('alter table audit_entry set (autovacuum_enabled = off)', 'alter table audit_stream set (autovacuum_enabled = off)');
  await indexEvents(world);
  await grow();
});
afterAll(() => world.close());

const asOwner = async (...statements: readonly (string | { readonly text: string; readonly values: unknown[] })[]): Promise<void> => {
  const owner = createPool({ connectionString: world.databaseUrl, role: 'grantlog_migrate', max: 1, replyTimeout: 100_000 });
  try {
    for (const statement of statements) await owner.query(statement);
  } finally {
    await owner.end();
  }
};

/** Many events of many streams behind what the domain has recorded, and what the index says of them. */
const grow = async (): Promise<void> => {
  const { rows } = await world.deps.pool.query<{ head: number }>('select max(position) as head from event where platform = $1', [
    world.arlo,
  ]);
  const head = rows[0]?.head ?? 0;
  const stream = `('01a00000-0000-7000-8000-' || lpad((n / 10)::text, 12, '0'))::uuid`;
  await asOwner(
    {
      text: `insert into event (platform, position, stream_id, version, commit_id, type, schema_version, data, actor, correlation_id, recorded_at)
        select $1, $2 + n, ${stream}, n % 10 + 1, gen_random_uuid(), 'grant.refreshed', 1, '{}', '{"kind": "system", "id": "test"}', 'test', now()
        from generate_series(1, $3::int) n`,
      values: [world.arlo, head, count],
    },
    {
      text: `insert into audit_entry (platform, generation, position, clock, stream_id, version, type, account, client, actor_kind, actor_id, trace, commit_id)
        select $1, 1, $2 + n, now(), ${stream}, n % 10 + 1, 'grant.refreshed', case when n % 50 = 0 then $4::uuid else gen_random_uuid() end,
          $5::uuid, 'system', 'test', 'test', gen_random_uuid() from generate_series(1, $3::int) n`,
      values: [world.arlo, head, count, of.account, of.client],
    },
    {
      text: `insert into audit_stream (platform, generation, stream_id, account, client, began)
        select distinct on (n / 10) $1, 1, ${stream}, gen_random_uuid(), $4::uuid, $2 + n from generate_series(1, $3::int) n order by n / 10, n
        on conflict do nothing`,
      values: [world.arlo, head, count, of.client],
    },
    { text: `update subscription set position = $2 where name = 'audit-index@1' and platform = $1`, values: [world.arlo, head + count] },
  );
};

/** Rows that were read, by scans of whole tables and by whatever plan. */
type Scans = { readonly name: string; readonly scanned: number; readonly tuples: number };

/** A call looks at 10,000 entries; whoever reads all of a platform's reads 60,000. */
const mostTuples = 15_000;
const scansNow = async (): Promise<readonly Scans[]> => {
  // What a session has counted is told when it ends.
  await world.deps.pool.query('select pg_stat_force_next_flush()');
  const { rows } = await world.deps.pool.query<Scans>(
    `select relname as name, seq_tup_read::int as scanned, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as tuples from pg_stat_user_tables where relname like 'event%' or relname in ('audit_entry', 'audit_stream')`,
  );
  return rows;
};

/** Every session of the API tells its counts, each while it holds a connection of its own. */
const flushed = async (): Promise<readonly Scans[]> => {
  const { pool } = world.deps;
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
  await Promise.all(clients.map((client) => client.query('select pg_stat_force_next_flush()')));
  await Promise.all(clients.map((client) => client.query('select 1')));
  for (const client of clients) client.release();
  return scansNow();
};

const questions = (): readonly (readonly [path: string, body?: object])[] => {
  const at = '30000';
  return [
    [`events`],
    [`events?account=${of.account}`],
    [`events?clientId=${of.clientId}&type=grant.*&order=oldest`],
    [`events?stream=${grant.id}&cursor=20000`],
    [`events?since=2020-01-01T00:00:00Z&actor=test&type=client.registered`],
    [`events/count?clientId=${of.clientId}`],
    [`events/count`],
    [`events/export?type=client.*,account.*`],
    [`grants?at=${at}`],
    [`grants?at=${at}&account=${of.account}`],
    [`grants?at=${at}&clientId=${of.clientId}`],
    [`grants/${grant.id}?at=${at}`],
    [`grants/${grant.id}?at=${new Date(Date.now() - 1).toISOString()}`],
    [`grants/${grant.id}/lineage`],
    [`accounts/${of.account}?at=${at}`],
    [`clients/${of.clientId}?at=${at}`],
    ['token', { token: grant.accessToken, at }],
  ];
};

const check = async (): Promise<void> => {
  for (const [path, body] of questions()) {
    const before = new Map((await flushed()).map((one) => [one.name, one]));
    const { status, text } = await world
      .call(auditor, body === undefined ? 'GET' : 'POST', `/${world.arlo}/audit/${path}`, body)
      .catch(() => ({ status: 200, text: '' }));
    expect([path, status], text).toEqual([path, 200]);
    const found = (await flushed()).filter(({ name, scanned, tuples }) => {
      const { scanned: scannedBefore = 0, tuples: tuplesBefore = 0 } = before.get(name) ?? {};
      // A table of a few rows is best read whole.
      return scanned > scannedBefore + 1_000 || tuples > tuplesBefore + mostTuples;
    });
    expect([path, found]).toEqual([path, []]);
  }
};

test('no question to the audit scans the log or its index, on tables that have grown without statistics', check);

test('no question to the audit scans the log or its index, on large tables with statistics', async () => {
  await asOwner('analyze');
  await check();
});
