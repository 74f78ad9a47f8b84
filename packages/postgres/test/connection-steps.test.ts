import { randomUUID } from 'node:crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type ConnectionStep,
  createPool,
  deleteOldConnectionSteps,
  insertConnectionSteps,
  listConnectionBeginnings,
  listConnectionSteps,
  type Pool,
} from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

const [along, arlo] = ['along', 'arlo'] as [PlatformId, PlatformId];
const minute = 60_000;

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase('steps');
  pool = createPool({ connectionString: database.url, role: 'grantlog_api', max: 4 });
});
afterEach(() => database.asSuperuser('truncate grantlog.connection_step'));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const step = (name: ConnectionStep['step'], change: Partial<ConnectionStep> = {}): ConnectionStep => ({
  platform: along,
  step: name,
  refusal: null,
  attempt: null,
  request: randomUUID(),
  client: 'shared',
  grant: null,
  visitor: new Uint8Array([1]),
  program: null,
  ...change,
});
const many = (count: number, one: () => ConnectionStep): Promise<void> => insertConnectionSteps(pool, Array.from({ length: count }, one));
const refusal = { error: 'invalid_grant', detail: 'words' };
/** What is listed of the newest attempts of `shared`. */
const listed = async (limit: number) => {
  const beginnings = await listConnectionBeginnings(pool, { platform: along, client: 'shared', grant: null, before: null, limit });
  const at = beginnings.map((each) => each.at);
  return listConnectionSteps(pool, {
    platform: along,
    attempts: beginnings.flatMap(({ attempt }) => attempt ?? []),
    clients: ['shared'],
    from: Math.min(...at) - 15 * minute,
    to: Math.max(...at) + 15 * minute,
  });
};
const count = async (): Promise<number> =>
  Number((await database.asSuperuser<{ count: number }>('select count(*) as count from grantlog.connection_step'))[0]?.count);

describe('the steps of an attempt', () => {
  test('are found however often others, or strangers in its name, have pushed requests for the client', async () => {
    await many(6_000, () => step('push', { refusal: { error: 'invalid_client', detail: 'words' } }));
    await database.asSuperuser(`update grantlog.connection_step set at = at - interval '3 days'`);
    await many(2_000, () => step('push'));
    const [attempt, grant] = [randomUUID(), randomUUID()];
    await insertConnectionSteps(pool, [step('authorize', { attempt }), step('consent', { attempt, grant })]);
    await insertConnectionSteps(pool, [step('token', { grant }), step('first_use', { grant })]);
    const steps = await listed(1);
    expect(steps.slice(-4).map((each) => each.step)).toEqual(['authorize', 'consent', 'token', 'first_use']);
    expect(steps.length).toBeLessThan(2_000);
    expect(steps[0]?.at).toBeGreaterThan(Date.now() - 60 * minute);
  });

  test('are found although another grant of the client loops: of each its first and its last steps', async () => {
    const [looping, good] = [
      { attempt: randomUUID(), grant: randomUUID() },
      { attempt: randomUUID(), grant: randomUUID() },
    ];
    await insertConnectionSteps(pool, [step('authorize', { attempt: looping.attempt }), step('consent', looping)]);
    await insertConnectionSteps(pool, [step('token', { grant: looping.grant })]);
    await insertConnectionSteps(pool, [step('authorize', { attempt: good.attempt }), step('consent', good)]);
    await many(6_000, () => step('token', { grant: looping.grant, refusal }));
    await insertConnectionSteps(pool, [step('token', { grant: good.grant }), step('first_use', { grant: good.grant })]);
    const steps = await listed(2);
    expect(steps.filter(({ grant }) => grant === good.grant).map((each) => each.step)).toEqual(['consent', 'token', 'first_use']);
    const ofLoop = steps.filter(({ grant }) => grant === looping.grant);
    expect([ofLoop[0]?.step, ofLoop[1]?.step, ofLoop[1]?.refusal, ofLoop.at(-1)?.refusal]).toEqual(['consent', 'token', null, refusal]);
    expect(ofLoop.length).toBeLessThanOrEqual(50);
  });

  test('are of one platform alone', async () => {
    const [attempt, grant] = [randomUUID(), randomUUID()];
    await insertConnectionSteps(pool, [step('authorize', { attempt }), step('consent', { attempt, grant })]);
    await insertConnectionSteps(pool, [step('token', { platform: arlo, grant }), step('authorize', { platform: arlo, attempt })]);
    expect((await listed(5)).map((each) => each.step)).toEqual(['authorize', 'consent']);
  });
});

test('steps are gone after their days, however many there are', async () => {
  await database.asSuperuser(`insert into grantlog.connection_step (platform, step, request, visitor, at)
    select 'along', 'discovery', gen_random_uuid(), '\\x01', now() - interval '15 days' from generate_series(1, 120000)`);
  await many(3, () => step('discovery'));
  const worker = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 1 });
  try {
    expect(await deleteOldConnectionSteps(worker, 14)).toBe(120_000);
    expect(await count()).toBe(3);
  } finally {
    await worker.end();
  }
});
