import { createPool } from '@grantlog/postgres';
import { Redis } from 'ioredis';
import { insist } from '../../src/webhooks/insist.ts';
import type { BackendName } from './worker.ts';
import { queuePrefix } from './worker.ts';
import type { World } from './world.ts';

const keysOf = (redis: Redis, world: World): Promise<string[]> => redis.keys(`${queuePrefix(world)}:*`);

const jobTables = `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'bullmq' and c.relkind = 'r' and c.relname <> 'migration'`;

/** Takes everything out of a queue behind its back, as FLUSHALL would, but of this world alone. */
export const wipe = async (backend: BackendName, world: World, redisUrl: string): Promise<void> => {
  if (backend === 'redis') {
    const redis = new Redis(redisUrl);
    const keys = await keysOf(redis, world);
    if (keys.length > 0) await redis.del(...keys);
    await redis.quit();
    return;
  }
  const pool = createPool({ connectionString: world.url, role: 'grantlog_migrate', max: 1, searchPath: 'bullmq' });
  const { rows } = await pool.query<{ name: string }>(jobTables);
  // Locking every table at once may deadlock with a job; the loser tries again.
  await insist(() => pool.query(`truncate ${rows.map(({ name }) => `"${name}"`).join(', ')}`), { forMs: 10_000 });
  await pool.end();
};

/** Jobs that a queue holds, in whatever state. */
export const jobsLeft = async (backend: BackendName, world: World, redisUrl: string): Promise<number> => {
  if (backend === 'redis') {
    const redis = new Redis(redisUrl);
    const keys = await keysOf(redis, world);
    await redis.quit();
    return keys.filter((key) => /:\d+$/.test(key)).length;
  }
  const { rows } = await world.pool.query<{ n: number }>('select count(*)::int as n from bullmq.job');
  return rows[0]?.n ?? 0;
};
