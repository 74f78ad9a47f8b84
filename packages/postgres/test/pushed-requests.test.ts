import { standingId } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { LogUnavailable } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createPool,
  deleteExpiredPushedRequests,
  insertPushedRequest,
  type Pool,
  type PushedRequest,
  readPushedRequest,
} from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

const [arlo, along] = ['arlo' as PlatformId, 'along' as PlatformId];

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase('pushed_requests');
  pool = createPool({ connectionString: database.url, role: 'grantlog_api', max: 4 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const made = (change: Partial<PushedRequest> = {}): PushedRequest => ({
  platform: arlo,
  id: crypto.getRandomValues(new Uint8Array(32)),
  client: standingId(4) as StreamId,
  sealed: Buffer.from('sealed'),
  expiresAt: Math.floor(Date.now() / 1000) * 1000 + 90_000,
  ...change,
});

test('a request is read by its client on its platform, as often as it asks', async () => {
  const request = made();
  await insertPushedRequest(pool, request);
  for (let nth = 0; nth < 2; nth += 1) expect(await readPushedRequest(pool, request)).toEqual(request);
  expect(await readPushedRequest(pool, { ...request, platform: along })).toBeNull();
  expect(await readPushedRequest(pool, { ...request, client: standingId(4) as StreamId })).toBeNull();
  expect(await readPushedRequest(pool, { ...request, id: made().id })).toBeNull();
});

test('one id is two requests on two platforms', async () => {
  const request = made();
  const elsewhere = { ...request, platform: along, sealed: Buffer.from('another') };
  await insertPushedRequest(pool, request);
  await insertPushedRequest(pool, elsewhere);
  expect(await readPushedRequest(pool, request)).toEqual(request);
  expect(await readPushedRequest(pool, elsewhere)).toEqual(elsewhere);
});

test('those that ran out are deleted, and no others', async () => {
  await deleteExpiredPushedRequests(pool);
  const [late, current] = [made({ expiresAt: Date.now() - 1_000 }), made()];
  await insertPushedRequest(pool, late);
  await insertPushedRequest(pool, current);
  expect(await deleteExpiredPushedRequests(pool)).toBe(1);
  expect(await readPushedRequest(pool, late)).toBeNull();
  expect(await readPushedRequest(pool, current)).toEqual(current);
});

test('nothing is found where the table cannot be read: a request is not let through for it', async () => {
  const broken = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 1 });
  try {
    await expect(readPushedRequest(broken, made())).rejects.toBeInstanceOf(LogUnavailable);
    await expect(insertPushedRequest(broken, made())).rejects.toBeInstanceOf(LogUnavailable);
  } finally {
    await broken.end();
  }
});
