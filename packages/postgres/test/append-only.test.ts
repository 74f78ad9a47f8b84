import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendBatch, createPool } from '../src/index.ts';
import { commitOf, newStandingStream, newStream, write } from './support/commits.ts';
import { readAll } from './support/event-table.ts';
import type { TestDatabase } from './support/test-database.ts';
import { createTestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from './support/test-log.ts';

let database: TestDatabase;
let ours: TestLog;
let platform: PlatformId;
let partitions: readonly string[];

beforeAll(async () => {
  database = await createTestDatabase('append_only');
  ours = openTestLog(database.url);
  platform = await newPlatform(ours.pool);
  const old = '01100000-0000-7000-8000-000000000001' as StreamId;
  await ours.log.append(platform, commitOf([write(newStream(), 0), write(newStandingStream(), 0), write(old, 0)]));
  // A month that is added later is guarded like those of the first migration.
  await database.asSuperuser('select grantlog.ensure_event_months(15)');
  partitions = (
    await database.asSuperuser<{ name: string }>(
      `select 'grantlog.' || c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'grantlog.event'::regclass order by 1`,
    )
  ).map(({ name }) => name);
});
afterAll(async () => {
  await ours.close();
  await database.drop();
});

/** The code of the refusal in a session of its own, or null where the statement went through. */
const refusalOf = async (statement: string, setting?: string): Promise<string | null> => {
  const client = await database.connect();
  try {
    if (setting !== undefined) await client.query(setting);
    await client.query('begin');
    await client.query(statement);
    return null;
  } catch (error) {
    return (error as { code?: string }).code ?? 'none';
  } finally {
    await client.query('rollback');
    await client.end();
  }
};

const appendOnly = 'GL002';
const forbidden = '42501';

const changes = (table: string): readonly string[] => [
  `update ${table} set actor = '{}'`,
  `update ${table} set stream_id = '01a00000-0000-7000-8000-000000000000'`,
  `delete from ${table}`,
  `merge into ${table} e using (select 1) as one on true when matched then delete`,
];

describe('the event table', () => {
  test('has a partition for everything, the added months included', () => {
    expect(partitions.length).toBe(2 + 16);
  });

  test.each([
    ['a superuser', undefined],
    ['a superuser who switches triggers off for the session', 'set session_replication_role = replica'],
    ['the owner', 'set role grantlog_migrate'],
  ])('refuses every change by %s, through the parent and on a partition', async (_, setting) => {
    const held = await database.asSuperuser<{ name: string }>(
      `select distinct 'grantlog.' || c.relname as name from grantlog.event e join pg_class c on c.oid = e.tableoid`,
    );
    const holding = held.map(({ name }) => name);
    expect(holding).toHaveLength(3);
    for (const table of ['grantlog.event', ...holding]) {
      for (const statement of changes(table)) expect([statement, await refusalOf(statement, setting)]).toEqual([statement, appendOnly]);
    }
    for (const table of ['grantlog.event', ...partitions]) {
      for (const statement of [`truncate ${table}`, `truncate ${table} cascade`]) {
        expect([statement, await refusalOf(statement, setting)]).toEqual([statement, appendOnly]);
      }
    }
    const upsert = `insert into grantlog.event select * from grantlog.event on conflict (platform, stream_id, version) do update set actor = '{}'`;
    expect(await refusalOf(upsert, setting)).toBe(appendOnly);
    expect(await readAll(database, platform)).toHaveLength(3);
  });

  test.each(['grantlog_api', 'grantlog_worker'])('is not for %s to write, except through append', async (role) => {
    const row = `insert into grantlog.event select platform, position + 1, stream_id, version + 1, commit_id, type, schema_version, data, personal, actor, correlation_id, causation_id, recorded_at from grantlog.event limit 1`;
    for (const table of ['grantlog.event', ...partitions]) {
      const statements = [row.replace('insert into grantlog.event', `insert into ${table}`), ...changes(table), `truncate ${table}`];
      for (const statement of statements) {
        expect([statement, await refusalOf(statement, `set role ${role}`)]).toEqual([statement, forbidden]);
      }
    }
    for (const statement of [
      'alter table grantlog.event disable trigger append_only',
      'drop table grantlog.event_standing',
      'alter function grantlog.append security invoker',
      'create trigger quiet before insert on grantlog.event for each row execute function suppress_redundant_updates_trigger()',
      'create table grantlog.other ()',
      'set session_replication_role = replica',
      `update grantlog.log set floor = 10`,
      'delete from grantlog.log',
    ]) {
      expect([statement, await refusalOf(statement, `set role ${role}`)]).toEqual([statement, forbidden]);
    }
  });

  test.each(['grantlog_api', 'grantlog_worker'] as const)('takes what %s appends', async (role) => {
    const pool = createPool({ connectionString: database.url, role, max: 1 });
    const { rows } = await pool.query<{ who: string; events: number }>('select current_user as who, count(*)::int as events from event');
    expect(rows[0]?.who).toBe(role);
    expect((await appendBatch(pool, platform, [commitOf([write(newStream(), 0)])]))[0]?.outcome).toBe('appended');
    await pool.end();
  });

  test('does not let a role without the log append', async () => {
    expect(
      await refusalOf(
        `select grantlog.append('p', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')`,
        'set role pg_monitor',
      ),
    ).toBe(forbidden);
  });

  test('is not misled by a table of the same name in a schema that comes first', async () => {
    // append runs with its owner's rights, so what it names must not depend on who calls.
    const client = await database.connect();
    await client.query('begin');
    await client.query('set local role grantlog_api');
    await client.query('create temporary table log (platform text, floor bigint)');
    await client.query('create temporary table event as select * from grantlog.event limit 0');
    await client.query('insert into log values ($1, 900)', [platform]);
    await client.query('set local search_path = pg_temp, grantlog');
    const { rows } = await client.query<{ first_position: number }>(
      `select first_position from grantlog.append($1, array[gen_random_uuid()], array['{}'], array['c'], array[null], array[1], array[$2::uuid], array[0],
         array[1], array[$2::uuid], array[1], array['a.b'], array[1], array['{}'], array[null])`,
      [platform, newStream()],
    );
    await client.query('rollback');
    await client.end();
    expect(rows[0]?.first_position).toBeLessThan(100);
  });
});

describe('credentials and data keys', () => {
  test.each([
    ['grantlog_api', 'update', 'grantlog.credential set kind = kind', forbidden],
    ['grantlog_worker', 'update', 'grantlog.credential set kind = kind', forbidden],
    ['grantlog_api', 'delete', 'from grantlog.credential', forbidden],
    ['grantlog_api', 'delete', 'from grantlog.data_key', forbidden],
    ['grantlog_api', 'update', 'grantlog.data_key set sealed = sealed', forbidden],
    ['grantlog_worker', 'update', 'grantlog.data_key set sealed = sealed', forbidden],
    ['grantlog_worker', 'delete', 'from grantlog.credential', null],
    ['grantlog_worker', 'delete', 'from grantlog.data_key', null],
    ['grantlog_api', 'update', 'grantlog.stream_state set version = 1', forbidden],
  ])('%s may not %s %s, unless erasing and reaping are its work', async (role, verb, rest, expected) => {
    expect(await refusalOf(`${verb} ${rest}`, `set role ${role}`)).toBe(expected);
  });
});
