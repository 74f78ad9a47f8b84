import { availableParallelism } from 'node:os';
import { createPasswords, createSealer } from '@grantlog/crypto';
import { foldVersion } from '@grantlog/domain';
import { createEgress } from '@grantlog/egress';
import { createPool, createPostgresEventLog, type Pool } from '@grantlog/postgres';
import { createPlatformDirectory } from '@grantlog/provisioning';
import type { Logger, ServiceConfig } from '@grantlog/runtime';
import { sweepIdleBuckets } from './access/idle-buckets.ts';
import { sweepProofs } from './access/sweep-proofs.ts';
import type { Deps } from './deps.ts';
import { openWaitingRoom } from './events/waiting-room.ts';
import { createMetadataDocuments } from './metadata-documents/metadata-documents.ts';
import { createHostRouter } from './platforms/host-router.ts';
import { sweepPushedRequests } from './pushed-requests/sweep-pushed-requests.ts';
import { createRemoteKeys } from './remote-keys/remote-keys.ts';
import { createKeyStore } from './tokens/key-store.ts';
import { createTraceRecorder } from './traces/recorder.ts';

/**
 * How many passwords are hashed at once. Each occupies a thread of libuv's pool of four, where signing and name lookup
 * run too, so one is left to them; and a core, of which one is left to the event loop.
 */
export const passwordConcurrency = (cores: number): number => Math.max(1, Math.min(3, cores - 1));

export type Composed = Deps & { readonly pool: Pool; readonly stop: () => Promise<void> };

/** Builds everything that the API works with, once. Opens no port. */
export const compose = async (config: ServiceConfig, logger: Logger): Promise<Composed> => {
  const sealer = createSealer(config.secrets);
  const pool = createPool({
    connectionString: config.databaseUrl,
    role: 'grantlog_api',
    max: 10,
    onError: (error) => logger.warn({ err: error }, 'an idle database connection was lost'),
  });
  const log = createPostgresEventLog({
    pool,
    foldVersion,
    sealer,
    onTampered: (found) => logger.error(found, 'a stream_state row was edited outside the worker; the stream was read from its events'),
  });
  const hosts = await createHostRouter({
    log,
    pool,
    onError: (error) => logger.warn({ err: error }, 'the hosts of platforms could not be read'),
  });
  const stopSweeping = sweepIdleBuckets({
    pool,
    onError: (error) => logger.warn({ err: error }, 'drained attempt buckets could not be deleted'),
  });
  const stopSweepingRequests = sweepPushedRequests({
    pool,
    onError: (error) => logger.warn({ err: error }, 'pushed requests that ran out could not be deleted'),
  });
  const stopSweepingProofs = sweepProofs({
    pool,
    onError: (error) => logger.warn({ err: error }, 'used DPoP proofs could not be forgotten'),
  });
  const egress = createEgress({
    allowLoopback: config.isDevelopment,
    exceptions: config.egressAllow,
    ca: config.egressCa,
    // People's passwords are hashed here, and visitors choose the names.
    looksUpInTurn: true,
  });
  const traces = createTraceRecorder({
    pool,
    onLost: ({ steps, error }) => logger.warn({ steps, err: error }, 'steps of connection attempts were not kept'),
  });
  const waitingRoom = openWaitingRoom({
    pool,
    listenUrl: config.databaseDirectUrl ?? null,
    onError: (error) => logger.warn({ err: error }, 'news could not be asked for'),
  });
  const directory = createPlatformDirectory({ log, sealer });
  const passwords = createPasswords({ concurrency: passwordConcurrency(availableParallelism()) });
  return {
    config,
    log,
    sealer,
    directory,
    keys: createKeyStore({ log, sealer }),
    hosts,
    egress,
    traces,
    metadataDocuments: createMetadataDocuments({ egress }),
    remoteKeys: createRemoteKeys({ egress }),
    waitingRoom,
    provisioning: { log, pool, sealer, passwords, directory },
    pool,
    stop: async () => {
      hosts.stop();
      await waitingRoom.stop();
      stopSweeping();
      stopSweepingProofs();
      stopSweepingRequests();
      await traces.stop();
      await egress.close();
      log.stop();
      await pool.end();
    },
  };
};
