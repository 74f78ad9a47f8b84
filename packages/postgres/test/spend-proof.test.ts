import { createHash, randomUUID } from 'node:crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import { LogUnavailable } from '@grantlog/eventsourcing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createPool, forgetProofs, type Pool, spendProof } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

const [arlo, along] = ['arlo', 'along'] as [PlatformId, PlatformId];

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase('dpop');
  pool = createPool({ connectionString: database.url, role: 'grantlog_api', max: 10 });
});
afterEach(() => database.asSuperuser('truncate grantlog.dpop_proof'));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const idOf = (name: string): Uint8Array => createHash('sha256').update(name).digest();
const seconds = (): number => Date.now() / 1000;
const proof = (name: string = randomUUID(), from = -60, until = 60) => ({
  id: idOf(name),
  from: seconds() + from,
  until: seconds() + until,
});
const rows = async (): Promise<number> =>
  Number((await database.asSuperuser<{ count: number }>('select count(*) as count from grantlog.dpop_proof'))[0]?.count);

describe('a proof of possession', () => {
  test('is taken once, on each platform for itself', async () => {
    const one = proof('one');
    expect(await spendProof(pool, arlo, one)).toBe('spent');
    expect(await spendProof(pool, arlo, one)).toBe('replayed');
    expect(await spendProof(pool, along, one)).toBe('spent');
    expect(await spendProof(pool, arlo, proof('two'))).toBe('spent');
  });

  test('is taken by one of 50 that come at the same time', async () => {
    const one = proof();
    const uses = await Promise.all(Array.from({ length: 50 }, () => spendProof(pool, arlo, one)));
    expect(uses.filter((use) => use === 'spent')).toHaveLength(1);
    expect(uses.filter((use) => use === 'replayed')).toHaveLength(49);
  });

  test.each([
    ['is over', -120, -1],
    ['is to come', 1, 120],
  ])('whose time %s is not taken, and stays good', async (_, from, until) => {
    expect(await spendProof(pool, arlo, proof('one', from, until))).toBe('untimely');
    expect(await rows()).toBe(0);
    expect(await spendProof(pool, arlo, proof('one'))).toBe('spent');
  });

  test('is forgotten five minutes after its time, and not before', async () => {
    await spendProof(pool, arlo, proof('old'));
    await database.asSuperuser(`update grantlog.dpop_proof set forget_at = now() - interval '1 second'`);
    await spendProof(pool, arlo, proof('new'));
    const [kept] = await database.asSuperuser<{ left: number }>(
      `select extract(epoch from forget_at - now())::float8 as left from grantlog.dpop_proof order by forget_at desc limit 1`,
    );
    expect(kept?.left).toBeGreaterThan(350);
    expect(kept?.left).toBeLessThanOrEqual(360);
    expect(await forgetProofs(pool)).toBe(1);
    expect(await spendProof(pool, arlo, proof('new'))).toBe('replayed');
  });

  test('is forgotten with all others that are due, however many there are', async () => {
    for (let nth = 0; nth < 7; nth += 1) await spendProof(pool, arlo, proof());
    await database.asSuperuser(`update grantlog.dpop_proof set forget_at = now() - interval '1 second'`);
    expect(await forgetProofs(pool, 3)).toBe(7);
    expect(await rows()).toBe(0);
  });

  test('lets nobody through while it cannot be recorded', async () => {
    const ended = createPool({ connectionString: database.url, role: 'grantlog_api', max: 1 });
    await ended.end();
    await expect(spendProof(ended, arlo, proof())).rejects.toThrow(LogUnavailable);
  });

  test('is kept in a table that a crash does not empty', async () => {
    const found = await database.asSuperuser<{ relpersistence: string }>(
      `select relpersistence from pg_class where oid = 'grantlog.dpop_proof'::regclass`,
    );
    expect(found).toEqual([{ relpersistence: 'p' }]);
  });
});
