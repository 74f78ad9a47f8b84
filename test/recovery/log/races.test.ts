import type { PlatformId } from '@grantlog/eventsourcing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plantInFunction } from '../../../packages/postgres/test/support/planted.ts';
import { createTestDatabase, type TestDatabase } from '../../../packages/postgres/test/support/test-database.ts';
import { newPlatform, openTestLog, type TestLog } from '../../../packages/postgres/test/support/test-log.ts';
import { configure, type Ending, endings, type Round, race } from './races.ts';

let database: TestDatabase;
let processes: readonly [TestLog, TestLog, TestLog];
beforeEach(async () => {
  database = await createTestDatabase('races');
  // Order and visibility are the subject here, not what survives a crash; ten thousand rounds need not wait for the disk.
  await database.asSuperuser(`do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$`);
  processes = [openTestLog(database.url), openTestLog(database.url), openTestLog(database.url)];
});
afterEach(async () => {
  await Promise.all(processes.map((process) => process.close()));
  await database.drop();
});

const kinds = Object.keys(endings) as readonly Ending[];

/** Many races at once: those of a platform's own endings one after another in each platform, all others side by side. */
const holdRaces = async (rounds: number): Promise<readonly Round[]> => {
  const logs = [processes[0].log, processes[1].log, processes[2].log] as const;
  const held: Round[] = [];
  const budgetOf = (mine: readonly Ending[], left: number) => ({ mine, left });
  const lane = async (platform: PlatformId, budget: ReturnType<typeof budgetOf>): Promise<void> => {
    while (budget.left > 0) {
      budget.left -= 1;
      const ending = budget.mine[budget.left % budget.mine.length] ?? 'client.disabled';
      held.push(await race({ logs, platform, ending, headStart: Math.floor(Math.random() * 12) }));
    }
  };
  const open = async (): Promise<PlatformId> => {
    const platform = await newPlatform(processes[2].pool);
    await configure(logs[2], platform);
    return platform;
  };
  const [one, ...own] = await Promise.all(Array.from({ length: 41 }, open));
  if (one === undefined) throw new Error('no platform');
  // A platform ends once at a time, while clients and accounts of one platform end side by side; the slower kind gets the smaller share.
  const wide = budgetOf(
    kinds.filter((kind) => endings[kind] === 'platform'),
    rounds / 5,
  );
  const narrow = budgetOf(
    kinds.filter((kind) => endings[kind] !== 'platform'),
    (rounds * 4) / 5,
  );
  await Promise.all([...Array.from({ length: 60 }, () => lane(one, narrow)), ...own.map((platform) => lane(platform, wide))]);
  return held;
};

type Late = { readonly ending: Ending; readonly type: string; readonly late: number };

/** Everything issued to a grant at a position after its round's ending. */
const findLate = async (held: readonly Round[]): Promise<readonly Late[]> =>
  database.asSuperuser<Late>(
    `select r.ending, e.type, e.position - r.position as late
     from unnest($1::text[], $2::bigint[], $3::uuid[]) as r(ending, position, grant_id)
     join grantlog.event e on e.stream_id = r.grant_id
     where e.type in ('grant.refreshed', 'grant.code_redeemed', 'grant.refresh_retried') and e.position > r.position`,
    [
      held.flatMap(({ ending, grants }) => grants.map(() => ending)),
      held.flatMap(({ position, grants }) => grants.map(() => position)),
      held.flatMap(({ grants }) => grants.map(({ id }) => id)),
    ],
  );

describe('a disabled client, a disabled account, a suspended platform, a mass revocation', () => {
  test('racing refreshes and redemptions 10,000 times, has nothing issued at a position after it', { timeout: 180_000 }, async () => {
    const held = await holdRaces(10_000);
    expect(held).toHaveLength(10_000);
    expect(await findLate(held)).toEqual([]);
    for (const kind of kinds) {
      const rounds = held.filter(({ ending }) => ending === kind);
      expect(rounds.length).toBeGreaterThanOrEqual(1_000);
      // A race that one side always wins would show nothing: both an issue before and a refusal after it, in most rounds.
      expect(rounds.filter(({ issued, refused }) => issued > 0 && refused > 0).length).toBeGreaterThan(rounds.length / 2);
    }
    // And all those facts stand in gapless logs.
    const gaps = await database.asSuperuser(
      'select platform from grantlog.event group by platform having count(*) <> max(position) or count(distinct position) <> count(*)',
    );
    expect(gaps).toEqual([]);
  });

  test('is caught when nobody checks dependencies', { timeout: 60_000 }, async () => {
    await plantInFunction(database, 'append', [
      {
        replace: 'where coalesce(current.version, 0) <> x.version',
        by: 'where coalesce(current.version, 0) <> x.version and exists (select 1 from offered o where o.commit_no = x.commit_no and o.stream_id = x.stream_id)',
      },
    ]);
    const late = await findLate(await holdRaces(600));
    expect(new Set(late.map(({ ending }) => ending))).toEqual(new Set(kinds));
  });
});
