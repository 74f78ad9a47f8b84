import { createSealer, randomUuid } from '@grantlog/crypto';
import { foldVersion } from '@grantlog/domain';
import { createEgress } from '@grantlog/egress';
import {
  abandonOldHeld,
  countWitnesses,
  createNotifier,
  createPool,
  createPostgresEventLog,
  deleteForgottenDataKeys,
  deleteOldConnectionSteps,
  deleteOldLogouts,
  deleteOldMail,
  deleteOldSignInClients,
  maintainPartitions,
  readSubscriptionLag,
  readWaiting,
  runSubscriptions,
  toldChannel,
} from '@grantlog/postgres';
import { createPlatformDirectory } from '@grantlog/provisioning';
import { clientList, createAuditIndex, grantList } from '@grantlog/read-models';
import type { Logger, OpsServer, ServiceConfig } from '@grantlog/runtime';
import { createOpsServer, parseTraceparent } from '@grantlog/runtime';
import { createAuditTree } from './audit/tree.ts';
import { treeKeeping } from './audit/tree-keeping.ts';
import { reapClients } from './clients/reap-clients.ts';
import type { WorkerConfig } from './config.ts';
import { every } from './every.ts';
import { expireGrants } from './grants/expire-grants.ts';
import { createLogoutSender } from './logout/logout-sender.ts';
import { createTellClients, keptNoticeDays, rememberedDays } from './logout/tell-clients.ts';
import { mailWaitsDays } from './mail/mail-schedule.ts';
import { createMailer } from './mail/mailer.ts';
import { createTellDevelopers } from './mail/tell-developers.ts';
import type { DeliveryQueue } from './queue/delivery-queue.ts';
import { createPostgresQueue } from './queue/postgres-queue.ts';
import { createRedisQueue } from './queue/redis-queue.ts';
import { expireSessions } from './sessions/expire-sessions.ts';
import { createAddressDigests } from './subscriptions/address-digests.ts';
import { createDispatcher } from './subscriptions/dispatcher.ts';
import { createErasure } from './subscriptions/erasure.ts';
import { runProjections } from './subscriptions/projections.ts';
import { createStreamState } from './subscriptions/stream-state.ts';
import { insist } from './webhooks/insist.ts';
import { recover } from './webhooks/recovery.ts';
import { deliveryRules } from './webhooks/rules.ts';
import { sweep } from './webhooks/sweeper.ts';
import { createTurns } from './webhooks/turns.ts';
import { destinationsOf } from './witnesses/setting.ts';
import { createWitnessing } from './witnesses/witnessing.ts';
import { createWorkerMetrics } from './worker-metrics.ts';

const second = 1_000;

/** Tells of an error when it is another than the last one, or half a minute after it. */
const onceInAWhile = (tell: (error: Error) => void): ((error: Error) => void) => {
  let last = { message: '', at: 0 };
  return (error) => {
    if (error.message === last.message && Date.now() - last.at < 30 * second) return;
    last = { message: error.message, at: Date.now() };
    tell(error);
  };
};
const hour = 3_600_000;
/** For how many days a message waits for a receiver that polls, has paused or has yet to prove its URL. */
const heldDays = 7;

/** A worker at work. */
export type RunningWorker = {
  readonly ops: OpsServer;
  /** Finishes what is begun, begins nothing more, and gives every connection back. */
  readonly stop: () => Promise<void>;
};

const openQueue = (config: ServiceConfig, log: Logger): Promise<DeliveryQueue> => {
  const options = { concurrency: 32, onError: onceInAWhile((error: Error) => log.warn({ err: error }, 'the delivery queue has trouble')) };
  return config.redisUrl === undefined
    ? createPostgresQueue({ ...options, connectionString: config.databaseDirectUrl ?? config.databaseUrl })
    : createRedisQueue({ ...options, url: config.redisUrl });
};

/** Builds and starts everything of one worker process. Any number of them may share a database. */
export const startWorker = async (config: WorkerConfig, log: Logger): Promise<RunningWorker> => {
  const counted = createWorkerMetrics();
  const troubled = (operation: string) => (error: unknown) => {
    counted.failed(operation);
    log.error({ err: error, operation }, 'a part of the worker failed and will try again');
  };
  const sealer = createSealer(config.secrets);
  const pool = createPool({ connectionString: config.databaseUrl, role: 'grantlog_worker', max: 16, onError: troubled('database') });
  const events = createPostgresEventLog({
    pool,
    foldVersion,
    sealer,
    onTampered: (found) => log.error(found, 'a stored fold was edited; the stream was read from its first event'),
  });
  // Partitions first: a subscription that meets a week without one stops.
  await insist(() => maintainPartitions(pool, { monthsAhead: 12, weeksAhead: 4, keepDays: 30 }), { forMs: 10 * second });
  const queue = await openQueue(config, log);
  const egress = createEgress({
    allowLoopback: config.isDevelopment,
    exceptions: config.egressAllow,
    ca: config.egressCa,
    connectionsPerOrigin: 100,
  });

  const turns = createTurns({
    pool,
    worker: randomUuid(),
    log: events,
    sealer,
    publicUrl: config.publicUrl,
    queue,
    egress,
    rules: { ...deliveryRules, retryDelays: config.webhookRetrySeconds.map((seconds) => seconds * second) },
    now: Date.now,
    random: Math.random,
    onAttempt: counted.attempt,
    onCrowded: counted.crowded,
    onLost: counted.lost,
    onEndpoint: ({ fate, platform, endpoint }) => {
      counted.endpoint(fate);
      log.warn(
        { platform, endpoint },
        fate === 'disabled' ? 'a webhook endpoint was disabled' : 'a webhook endpoint will be disabled within a day',
      );
    },
    onError: troubled('delivery'),
  });
  queue.work(turns.wake);

  const runner = {
    onFailure: ({ name, error }: { readonly name: string; readonly error: unknown }) => troubled(name)(error),
    onConsumed: (outcome: { readonly claim: { readonly name: string }; readonly events: number }) =>
      counted.consumed(outcome.claim.name, outcome.events),
  };
  const told = createNotifier(pool, toldChannel);
  // What agents hear waits for nothing else, and whatever is not in such a hurry takes many events at once.
  const dispatching = runSubscriptions({
    ...runner,
    pool,
    listenUrl: config.databaseDirectUrl ?? config.databaseUrl,
    subscriptions: [
      createDispatcher({
        queue,
        onWakeFailed: troubled('wake'),
        own: { told: turns.told, wake: turns.wakeHere },
        onTold: told.notify,
      }),
    ],
  });
  const unhurried = { ...runner, listenUrl: null, pollEvery: 100 };
  const subscriptions = runSubscriptions({
    ...unhurried,
    pool,
    subscriptions: [
      createErasure(),
      createTellClients(),
      createTellDevelopers({ sealer, publicUrl: config.publicUrl }),
      createStreamState({
        sealer,
        onTampered: (found) => log.error(found, 'a stored fold was edited; it is made anew from the log'),
      }),
    ],
  });
  // A second is soon enough for a signature, and one signs for many events.
  const trees = runSubscriptions({
    ...unhurried,
    pool,
    pollEvery: second,
    parallel: 1,
    subscriptions: [createAuditTree(treeKeeping({ log: events, pool, sealer, publicUrl: config.publicUrl }))],
  });
  // Witnesses are named by the operator and nobody else, and what is open for them is open for no stranger's URL.
  const toWitnesses = createEgress({
    allowLoopback: config.isDevelopment,
    exceptions: destinationsOf(config.witnesses),
    ca: config.egressCa,
  });
  const witnessing = createWitnessing({
    pool,
    egress: toWitnesses,
    now: Date.now,
    random: Math.random,
    logger: log,
    onTold: counted.witness,
  });
  const auditIndex = createAuditIndex({
    traceOf: (correlationId) => parseTraceparent(correlationId)?.traceId ?? correlationId,
    digestAddresses: createAddressDigests({ directory: createPlatformDirectory({ log: events, sealer }), sealer }),
  });
  const projections = runProjections({
    pool,
    projections: [grantList, clientList, auditIndex],
    runner: unhurried,
    onError: troubled('projections'),
  });

  if (config.smtpUrl === undefined && !config.isDevelopment)
    log.warn(
      { setting: 'SMTP_URL', days: mailWaitsDays },
      'SMTP_URL is not set: no mail is sent. Mails wait for so many days and are then given up; set it to the mail server',
    );
  const mailer = createMailer({
    pool,
    sealer,
    smtpUrl: config.smtpUrl,
    mailFrom: config.mailFrom,
    isDevelopment: config.isDevelopment,
    log,
    onMail: counted.mail,
  });
  const logouts = createLogoutSender({
    pool,
    log: events,
    sealer,
    egress,
    publicUrl: config.publicUrl,
    now: Date.now,
    random: Math.random,
    logger: log,
    onLogout: counted.logout,
  });
  const upkeep = async (): Promise<void> => {
    await maintainPartitions(pool, { monthsAhead: 12, weeksAhead: 4, keepDays: 30 });
    while ((await abandonOldHeld(pool, { days: heldDays })) > 0);
    await deleteOldMail(pool, { finished: 30, kept: 7 });
    await deleteForgottenDataKeys(pool);
    await deleteOldConnectionSteps(pool, 14);
    await deleteOldLogouts(pool, keptNoticeDays);
    await deleteOldSignInClients(pool, rememberedDays);
  };

  const witnessNames = config.witnesses.map(({ id }) => id);
  const timers = [
    every(second, () => sweep({ pool, queue }), troubled('sweep')),
    every(second, async () => counted.recovering(await recover({ pool, queue })), troubled('recovery')),
    every(5 * second, async () => counted.expired(await expireGrants({ pool, log: events, limit: 500 })), troubled('expiry')),
    every(5 * second, async () => counted.unanswered(await expireSessions({ pool, log: events, limit: 500 })), troubled('session_expiry')),
    every(60 * second, async () => counted.reaped(await reapClients({ pool, log: events, limit: 200 })), troubled('client_reaping')),
    every(10 * second, async () => counted.waiting(await readWaiting(pool)), troubled('waiting')),
    every(10 * second, async () => counted.queued(await queue.depth()), troubled('queue_depth')),
    every(10 * second, async () => counted.lag(await readSubscriptionLag(pool)), troubled('lag')),
    every(2 * second, mailer.post, troubled('mail')),
    every(second, logouts.send, troubled('logout')),
    every(hour, upkeep, troubled('upkeep')),
    ...config.witnesses.map((witness) => every(second, () => witnessing.tell(witness), troubled('witness'))),
    every(10 * second, async () => counted.witnesses(await countWitnesses(pool, witnessNames)), troubled('witnesses')),
  ];

  const ops = createOpsServer({
    host: config.host,
    port: config.opsPort,
    checks: { database: () => pool.query('select 1'), queue: queue.check },
    metrics: counted.metrics,
    log,
  });
  return {
    ops,
    stop: async () => {
      const everything = [dispatching, turns, mailer, logouts, witnessing, ...timers, subscriptions, trees, projections];
      // First of all: what this process took from now on, it would not do.
      const resting = queue.rest();
      await Promise.all([resting, ...everything.map((part) => part.stop())]);
      await queue.close();
      await Promise.all([egress.close(), toWitnesses.close()]);
      events.stop();
      told.stop();
      await pool.end();
    },
  };
};
