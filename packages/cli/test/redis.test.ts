import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRedis, startRedis } from '../src/index.ts';
import { identify } from '../src/processes/identity.ts';
import { temporaryFolder } from './support/temporary.ts';

describe('Redis for tests', () => {
  const withRedis = test.skipIf(findRedis() === null);

  withRedis('starts on a port of its own and stops without a process left (needs redis-server)', async () => {
    const dir = join(await temporaryFolder(), 'redis');
    const redis = await startRedis({ dir });
    expect(redis.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    expect(identify(redis.pid)).not.toBeNull();
    await redis.stop();
    expect(identify(redis.pid)).toBeNull();
  });

  withRedis('says in its own words why it does not start (needs redis-server)', async () => {
    const dir = join(await temporaryFolder(), 'redis');
    await expect(startRedis({ dir, settings: { 'maxmemory-policy': 'whatever' } })).rejects.toThrow(/maxmemory-policy/);
  });
});
