import type { PlatformId } from '@grantlog/eventsourcing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Plant, plantInFunction } from '../../../packages/postgres/test/support/planted.ts';
import { createTestDatabase, type TestDatabase } from '../../../packages/postgres/test/support/test-database.ts';
import { newPlatform, openTestLog } from '../../../packages/postgres/test/support/test-log.ts';
import { type CrowdGoal, runCrowd } from './crowd.ts';

let database: TestDatabase;
let platform: PlatformId;
beforeEach(async () => {
  database = await createTestDatabase('crowd');
  const ours = openTestLog(database.url);
  platform = await newPlatform(ours.pool);
  await ours.close();
});
afterEach(() => database.drop());

const seed = Math.floor(Math.random() * 2 ** 31);
const run = (signal: AbortSignal, goal: CrowdGoal) => runCrowd({ database, platform, seed, goal, signal });

describe(`several processes at once, with conflicts, cut sessions and kill -9 (seed ${seed})`, () => {
  test('leave positions without a gap, contiguous streams, whole commits, true answers, and readers who skip nothing', {
    timeout: 120_000,
  }, async ({ signal }) => {
    const { broken, ...figures } = await run(signal, { events: 4_000, kills: 12, cuts: 40 });
    expect(broken).toEqual([]);
    expect(figures.answers.conflict).toBeGreaterThan(100);
    // How many is up to the seed and to how writers meet: that the run had any is what makes it count.
    expect(figures.answers.refused).toBeGreaterThan(0);
  });

  const head = '(select e.position from event e where e.platform = p_platform order by e.position desc limit 1)';
  const bugs: Readonly<Record<string, { readonly edits: readonly Plant[]; readonly finding: string }>> = {
    'a position drawn before the lock': {
      edits: [
        {
          replace: 'v_head bigint;',
          by: `v_head bigint; v_early bigint := ${head}; v_nap boolean := (select true from pg_sleep(random() * 0.005));`,
        },
        { replace: `greatest(v_head, ${head})`, by: 'greatest(v_head, v_early)' },
      ],
      finding: 'positions (',
    },
    'positions of a sequence, drawn before the lock': {
      edits: [
        {
          replace: 'v_head bigint;',
          by: `v_head bigint; v_early bigint := nextval('drawn') * 1000; v_nap boolean := (select true from pg_sleep(random() * 0.03));`,
        },
        { replace: `greatest(v_head, ${head})`, by: 'greatest(v_head, v_early)' },
      ],
      finding: 'readers: one that remembers a number missed',
    },
    'dependencies that nobody checks': {
      edits: [
        {
          replace: 'where coalesce(current.version, 0) <> x.version',
          by: 'where coalesce(current.version, 0) <> x.version and exists (select 1 from offered o where o.commit_no = x.commit_no and o.stream_id = x.stream_id)',
        },
      ],
      finding: 'expectations (',
    },
    'a commit asked for again that is not recognised': {
      edits: [{ replace: 'e.commit_id = p_commit_id[f.commit_no]', by: 'false' }],
      finding: 'answers (',
    },
    'a commit of which the losing streams alone are left out': {
      edits: [
        {
          replace: 'and o.commit_no <> all (array(select l.commit_no from lost l))',
          by: 'and o.version = 1 + coalesce((select max(e.version) from event e where e.platform = p_platform and e.stream_id = o.stream_id), 0) + o.version - (select min(p.version) from offered p where p.commit_no = o.commit_no and p.stream_id = o.stream_id)',
        },
      ],
      finding: 'wholeness (',
    },
  };

  test.for(Object.entries(bugs))('are caught at %s', { timeout: 120_000 }, async ([, { edits, finding }], { signal }) => {
    await database.asSuperuser('create sequence grantlog.drawn');
    await database.asSuperuser('grant usage on sequence grantlog.drawn to grantlog_migrate');
    await plantInFunction(database, 'append', edits);
    const { broken } = await run(signal, { events: 1_000, kills: 1, cuts: 5 });
    expect(broken.join('\n')).toContain(finding);
  });
});
