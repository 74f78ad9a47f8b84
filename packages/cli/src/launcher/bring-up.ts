import type { CommandIo } from '../command.ts';
import { diskFull, isDiskFull } from '../disk-problem.ts';
import { startEmbeddedPostgres } from '../embedded/start-embedded-postgres.ts';
import { Problem } from '../problem.ts';
import type { Ending } from '../processes/ended.ts';
import type { Demo } from '../seed/contract.ts';
import { writeDemo } from '../seed/demo-file.ts';
import { checkPorts } from './check-ports.ts';
import { checkRedis } from './check-redis.ts';
import { unlessEnded } from './end-request.ts';
import { examplesAt, examplesUrl, planExamples, runsExamples } from './examples.ts';
import { explainDatabaseError } from './explain-database.ts';
import { followLog, shownFrom } from './log-follower.ts';
import type { LauncherParts } from './parts.ts';
import { announce, withdraw } from './running.ts';
import { findSecret } from './secret.ts';
import { lastWords, type RunningService, startService, untilReady } from './service.ts';
import { planServices } from './service-plans.ts';
import type { LauncherSettings } from './settings.ts';
import type { StatePaths } from './state-directory.ts';
import { summarise } from './summary.ts';
import type { Teardown } from './teardown.ts';

/** One start: what it was given, and where it puts what must be undone. */
export type Launch = {
  readonly io: CommandIo;
  readonly verbose: boolean;
  readonly parts: LauncherParts;
  readonly settings: LauncherSettings;
  readonly paths: StatePaths;
  readonly signal: AbortSignal;
  readonly teardown: Teardown;
};

/** A process that should run until we stop it, and the message for the case that it does not. */
export type Watched = { readonly ended: Promise<Ending>; readonly explain: (how: string) => Promise<Problem> };

/** Starts everything in order, and prints the summary once it is ready. Whatever it started is in the teardown, also when it throws. */
export const bringUp = async (launch: Launch): Promise<readonly Watched[]> => {
  const { settings, paths, io } = launch;
  await checkPorts([
    { setting: 'PORT', what: 'the API', port: settings.port, host: settings.host },
    { setting: 'OPS_PORT', what: "the API's operations", port: settings.apiOpsPort, host: settings.host },
    { setting: 'OPS_PORT', what: "the worker's operations", port: settings.workerOpsPort, host: settings.host },
    ...(runsExamples(launch.parts) ? [{ setting: 'OPS_PORT', what: 'the example resources', ...examplesAt(settings) }] : []),
  ]);
  if (settings.redisUrl !== null) await checkRedis(settings.redisUrl, launch.signal);
  const embedded = settings.databaseUrl === null;
  const secret = await findSecret({ given: settings.secret, path: paths.secret, embedded, development: settings.development });
  const database = await openDatabase(launch);
  const demo = await prepareDatabase(launch, database.url, secret);
  const services = await startServices(launch, { databaseUrl: database.url, secret, demo });

  launch.teardown.add(() => withdraw(paths));
  await announce(paths, { pid: process.pid, url: settings.publicUrl, logs: paths.logs, connectionString: database.url });
  io.out(summarise({ url: settings.publicUrl, demo, demoPath: paths.demo, logs: paths.logs }));
  return [...database.watched, ...services];
};

const openDatabase = async (launch: Launch): Promise<{ readonly url: string; readonly watched: readonly Watched[] }> => {
  const { settings, paths, signal } = launch;
  if (settings.databaseUrl !== null) return { url: settings.databaseUrl, watched: [] };
  progress(launch, 'starting Postgres');
  const postgres = await startEmbeddedPostgres({
    dataRoot: paths.postgres,
    lifetime: 'kept',
    settings: { max_connections: '200' },
    onProgress: (message) => progress(launch, message),
    signal,
  });
  launch.teardown.add(postgres.stop);
  const explain = async (how: string): Promise<Problem> =>
    new Problem(`The embedded Postgres ended by itself (${how}).`, `look into ${postgres.logPath}, then start again.`);
  return { url: postgres.url, watched: [{ ended: postgres.ended, explain }] };
};

const prepareDatabase = async (launch: Launch, connectionString: string, secret: string): Promise<Demo | null> => {
  const { parts, paths, settings } = launch;
  const reach = <Value>(work: Promise<Value>): Promise<Value> =>
    unlessEnded(
      launch.signal,
      work.catch(async (error: unknown) => {
        if (settings.databaseUrl === null && (await isDiskFull(paths.directory))) throw diskFull(paths.directory);
        throw explainDatabaseError(error, connectionString);
      }),
    );
  progress(launch, 'migrating the database');
  await reach(parts.migrate({ connectionString, onProgress: (message) => progress(launch, message) }));
  if (parts.seed === null) return null;
  progress(launch, 'seeding the demonstration platforms');
  const demo = await reach(
    parts.seed({ connectionString, secret, publicUrl: settings.publicUrl, examplesUrl: examplesUrl(settings), dataDir: paths.directory }),
  );
  await writeDemo(paths.demo, demo);
  return demo;
};

const startServices = async (
  launch: Launch,
  on: { readonly databaseUrl: string; readonly secret: string; readonly demo: Demo | null },
): Promise<readonly Watched[]> => {
  const { settings, parts, paths, io, signal } = launch;
  const { environment } = io;
  const { demo, ...database } = on;
  const plans = [
    ...planServices({ settings, parts, environment, ...database, dataDirectory: paths.directory }),
    ...planExamples({ settings, parts, environment, demo }),
  ];
  progress(launch, plans.length === 2 ? 'starting the API and the worker' : 'starting the API, the worker and the example resources');
  const level = shownFrom(launch.verbose, settings.logLevel);
  const started: { readonly service: RunningService; readonly readyUrl: string; readonly stopFollowing: () => Promise<void> }[] = [];
  launch.teardown.add(async () => {
    await Promise.all(started.map(({ service }) => service.stop()));
    await Promise.all(started.map(({ stopFollowing }) => stopFollowing()));
  });
  for (const plan of plans) {
    const service = await startService(plan, paths.logs);
    const stopFollowing = followLog({ path: service.logPath, name: plan.name, level, show: io.note });
    started.push({ service, readyUrl: plan.readyUrl, stopFollowing });
  }
  await unlessEnded(signal, Promise.all(started.map(({ service, readyUrl }) => untilReady(service, readyUrl, signal))));
  return started.map(({ service }) => ({
    ended: service.ended,
    explain: (how) => lastWords(service, `ended by itself (${how})`),
  }));
};

const progress = (launch: Launch, message: string): void => launch.io.note(`· ${message}`);
