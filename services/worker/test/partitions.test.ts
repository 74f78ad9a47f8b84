import { uuidv7 } from '@grantlog/crypto';
import { createPool, maintainPartitions } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { useScene } from './support/scene.ts';

const day = 86_400_000;
const tables = ['message', 'message_audience', 'delivery_done', 'attempt'];

describe('the weeks of deliveries', () => {
  const scene = useScene();

  test('are made ahead, and dropped once everything in them was finished long ago; unfinished work stays', async () => {
    const world = scene.world();
    const upkeep = () => maintainPartitions(world.pool, { monthsAhead: 12, weeksAhead: 6, keepDays: 30 });
    expect((await upkeep()).weeks).toBe(2 * tables.length);
    expect(await upkeep()).toEqual({ months: 0, weeks: 0, dropped: 0 });

    // Weeks of last quarter, as if this database had been running then.
    const migrator = createPool({ connectionString: world.url, role: 'grantlog_migrate', max: 1 });
    const insert = (id: string, state: string, finishedDaysAgo: number): Promise<unknown> =>
      world.pool.query(
        `insert into delivery_done (platform, id, endpoint, lane, position, proves, state, attempt, created_at, finished_at)
         values ('arlo', $1, $1, 1, 1, false, $2, 1, now(), now() - make_interval(days => $3))`,
        [id, state, finishedDaysAgo],
      );
    for (const table of tables) {
      await migrator.query(`alter table ${table} detach partition ${table}_before`);
      await migrator.query(`drop table ${table}_before`);
      await migrator.query(`do $$
        declare week timestamptz := date_trunc('week', now() at time zone 'utc') at time zone 'utc';
        begin
          for i in 1 .. 12 loop
            execute format('create table %I partition of ${table} for values from (%L) to (%L)', '${table}_' || to_char((week - i * interval '7 days') at time zone 'utc', 'IYYY_IW'),
              uuid_v7_floor(week - i * interval '7 days'), uuid_v7_floor(week - (i - 1) * interval '7 days'));
          end loop;
          execute format('create table ${table}_before partition of ${table} for values from (minvalue) to (%L)', uuid_v7_floor(week - 12 * interval '7 days'));
        end $$`);
    }
    await migrator.end();
    const unfinished = uuidv7(Date.now() - 70 * day);
    const recent = uuidv7(Date.now() - 10 * day);
    const finishedLate = uuidv7(Date.now() - 56 * day);
    await insert(uuidv7(Date.now() - 77 * day), 'delivered', 76);
    await insert(uuidv7(Date.now() - 63 * day), 'failed', 60);
    await world.pool.query(`insert into delivery (platform, id, endpoint, lane, position) values ('arlo', $1, $1, 2, 1)`, [unfinished]);
    await insert(finishedLate, 'delivered', 5);
    await insert(recent, 'delivered', 10);
    await insert(uuidv7(Date.now() - 200 * day), 'delivered', 199);
    const { dropped } = await upkeep();
    // Twelve old weeks, of which at most the last five are too young, and two still hold something.
    expect(dropped).toBeGreaterThanOrEqual(5);
    const { rows } = await world.pool.query<{ id: string }>('select id from delivery union all select id from delivery_done order by id');
    expect(rows.map(({ id }) => id)).toEqual([unfinished, finishedLate, recent]);
  });
});
