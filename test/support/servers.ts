import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, startRedis } from '@grantlog/cli';
import type { TestProject } from 'vitest/node';
import { ensureProgram } from './programs.ts';

/** Gives the run a Postgres cluster and a Redis of its own; every suite makes its own database in it. */
export default async function startServers(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-test-'));
  const postgres = await startEmbeddedPostgres({
    dataRoot: join(folder, 'postgres'),
    lifetime: 'throw-away',
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
    onProgress: () => {},
  });
  const redis = ensureProgram('redis-server') === null ? null : await startRedis({ dir: await mkdtemp(join(tmpdir(), 'grantlog-redis-')) });
  project.provide('databaseUrl', postgres.url);
  project.provide('redisUrl', redis?.url ?? '');
  return async () => {
    await redis?.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
