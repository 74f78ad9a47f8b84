import { createPasswords, createSealer } from '@grantlog/crypto';
import { foldVersion } from '@grantlog/domain';
import { createPool, createPostgresEventLog, type Pool } from '@grantlog/postgres';
import { createPlatformDirectory, type Provisioning } from '@grantlog/provisioning';

/** Opens what provisioning works with, for a command that ends; call `close` when it does. */
export const openProvisioning = (options: {
  readonly connectionString: string;
  readonly secrets: readonly string[];
}): Provisioning & { readonly pool: Pool; readonly close: () => Promise<void> } => {
  const pool = createPool({ connectionString: options.connectionString, role: 'grantlog_api', max: 4 });
  const sealer = createSealer(options.secrets);
  const log = createPostgresEventLog({ pool, foldVersion, sealer });
  return {
    log,
    pool,
    sealer,
    passwords: createPasswords({ concurrency: 2 }),
    directory: createPlatformDirectory({ log, sealer }),
    close: async () => {
      log.stop();
      await pool.end();
    },
  };
};
