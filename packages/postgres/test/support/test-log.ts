import { randomUUID } from 'node:crypto';
import { createSealer } from '@grantlog/crypto';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import type { PostgresEventLogOptions, SnapshotSealer } from '../../src/index.ts';
import { createPool, createPostgresEventLog, openLog } from '../../src/index.ts';

export const sealer: SnapshotSealer = createSealer(['a secret of the test run, which is long enough']);

/** A process's view of the log: its own pool, its own queues. */
export type TestLog = { readonly log: EventLog; readonly pool: pg.Pool; readonly close: () => Promise<void> };

export const openTestLog = (url: string, options: Partial<PostgresEventLogOptions> & { readonly max?: number } = {}): TestLog => {
  const { max = 8, ...rest } = options;
  const pool = createPool({ connectionString: url, role: 'grantlog_api', max });
  const log = createPostgresEventLog({ pool, foldVersion: 1, sealer, ...rest });
  return {
    log,
    pool,
    close: async () => {
      log.stop();
      await pool.end();
    },
  };
};

/** Opens the log of a platform with a name that nobody else has. */
export const newPlatform = async (pool: pg.Pool, stem = 'p'): Promise<PlatformId> => {
  const platform = `${stem}-${randomUUID().slice(0, 13)}` as PlatformId;
  await openLog(pool, { platform, lineage: randomUUID() });
  return platform;
};
