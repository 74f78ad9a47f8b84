import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Demo } from '@grantlog/cli';
import { examplesEnvironment, findFreePort, seed } from '@grantlog/cli';
import { createDatabase, migrate } from '@grantlog/postgres';

export type Node = {
  readonly url: string;
  readonly opsUrl: string;
  readonly logs: () => Promise<string>;
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Ends the process in order and waits for it. */
  readonly stop: () => Promise<number | null>;
};

export type Deployment = {
  readonly demo: Demo;
  readonly databaseUrl: string;
  readonly publicUrl: string;
  readonly secret: string;
  readonly apis: readonly Node[];
  readonly startWorker: () => Promise<Node>;
  /** The example resources, where they were asked for; they are reached through the API. */
  readonly examples: Node | null;
  /** Everything that every process has written so far. */
  readonly allLogs: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

const isReady = async (opsUrl: string): Promise<boolean> => {
  try {
    return (await fetch(`${opsUrl}/readyz`)).ok;
  } catch {
    return false;
  }
};

type Service = 'api' | 'worker' | 'example-resources';

const checkout = join(import.meta.dirname, '..', '..');
const folderOf = { api: 'services/api', worker: 'services/worker', 'example-resources': 'test/example-resources' } as const;

const startNode = async (
  service: Service,
  folder: string,
  environment: Readonly<Record<string, string>>,
  wishedPort: number | null,
): Promise<Node> => {
  const port = wishedPort ?? (await findFreePort());
  // The example resources answer about themselves on the one port that they have.
  const opsPort = service === 'example-resources' ? port : await findFreePort();
  const logPath = join(folder, `${service}-${port}.log`);
  await writeFile(logPath, '');
  const script = join(checkout, folderOf[service], 'src', 'main.ts');
  const child = spawn('/bin/sh', ['-c', `exec "$0" "$1" >> "$2" 2>&1`, process.execPath, script, logPath], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', ...environment, PORT: String(port), OPS_PORT: String(opsPort) },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const opsUrl = `http://127.0.0.1:${opsPort}`;
  const deadline = Date.now() + 60_000;
  while (!(await isReady(opsUrl))) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the ${service} did not become ready:\n${await readFile(logPath, 'utf8')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    opsUrl,
    logs: () => readFile(logPath, 'utf8'),
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
};

/** The example resources as `start` runs them: they know the platforms that they serve, and nothing of their database. */
const exampleEnvironment = (demo: Demo): Readonly<Record<string, string>> => {
  const own = examplesEnvironment(demo);
  if (own === null) throw new Error('the seed did not make what the example resources need');
  return { HOST: '127.0.0.1', ...own };
};

/** Real processes on a database of their own: `apis` API processes behind one `PUBLIC_URL`, the first of them, and workers on demand. */
export const startDeployment = async (options: {
  readonly databaseUrl: string;
  readonly redisUrl?: string;
  readonly apis: number;
  readonly workers: number;
  /** Changes the database before the processes start. */
  readonly prepare?: (demo: Demo, connectionString: string) => Promise<void>;
  /** Settings of every process besides those that make it one deployment. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Also runs the example resources behind the API; without it nobody answers there. */
  readonly examples?: boolean;
  /** Settings of the example resources besides those. */
  readonly exampleSettings?: Readonly<Record<string, string>>;
}): Promise<Deployment> => {
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-deployment-'));
  const databaseUrl = await createDatabase({
    connectionString: options.databaseUrl,
    name: `deployment_${crypto.randomUUID().slice(0, 8)}`,
  });
  await migrate({ connectionString: databaseUrl });
  const firstPort = await findFreePort();
  const examplesPort = options.examples === true ? await findFreePort() : 9; // discard: nobody listens there
  const publicUrl = `http://localhost:${firstPort}`;
  const secret = `${crypto.randomUUID()}${crypto.randomUUID()}`;
  const demo = await seed({
    connectionString: databaseUrl,
    secret,
    publicUrl,
    examplesUrl: `http://127.0.0.1:${examplesPort}`,
    dataDir: folder,
  });
  await options.prepare?.(demo, databaseUrl);
  const environment = {
    ...options.settings,
    DATABASE_URL: databaseUrl,
    PUBLIC_URL: publicUrl,
    GRANTLOG_SECRET: secret,
    LOG_LEVEL: 'debug',
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
  };
  const nodes: Node[] = [];
  const start = async (service: Service, port: number | null = null): Promise<Node> => {
    const node = await startNode(
      service,
      folder,
      service === 'example-resources' ? { ...exampleEnvironment(demo), ...options.exampleSettings } : environment,
      port,
    );
    nodes.push(node);
    return node;
  };
  const apis: Node[] = [];
  for (let count = 0; count < options.apis; count += 1) apis.push(await start('api', count === 0 ? firstPort : null));
  for (let count = 0; count < options.workers; count += 1) await start('worker');
  const examples = options.examples === true ? await start('example-resources', examplesPort) : null;
  return {
    demo,
    databaseUrl,
    publicUrl,
    secret,
    apis,
    startWorker: () => start('worker'),
    examples,
    allLogs: async () => (await Promise.all(nodes.map((node) => node.logs()))).join('\n'),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
};
