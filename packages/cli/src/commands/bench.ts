import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDatabase, migrate } from '@grantlog/postgres';
import { benchHttp } from '../bench/http-bench.ts';
import { benchLog } from '../bench/log-bench.ts';
import { type Measurement, type Run, toTable } from '../bench/measure.ts';
import { type Command, type CommandIo, UsageError } from '../command.ts';
import { startEmbeddedPostgres } from '../embedded/start-embedded-postgres.ts';
import { checkout } from '../launcher/state-directory.ts';
import { Problem } from '../problem.ts';
import { findFreePort } from '../processes/free-port.ts';
import { seed } from '../seed/index.ts';
import { openProvisioning } from '../seed/open-provisioning.ts';

/** The measurements run without the example resources: nobody listens on the port of discard. */
const nowhere = 'http://127.0.0.1:9';

type Service = { readonly pid: number; readonly stop: () => Promise<void> };

const startService = async (name: 'api' | 'worker', environment: Readonly<Record<string, string>>): Promise<Service> => {
  const opsPort = String(await findFreePort());
  const child = spawn(process.execPath, [join(checkout, 'services', name, 'src', 'main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...environment, OPS_PORT: opsPort },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let waited = 0; waited < 30_000 && child.exitCode === null; waited += 50) {
    const ready = await fetch(`http://127.0.0.1:${opsPort}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) {
      return {
        pid: child.pid ?? 0,
        stop: async () => {
          child.kill('SIGTERM');
          await ended;
        },
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Problem(`The ${name} did not become ready for the measurement`, 'Run start by itself and read what it says');
};

const measureAll = async (io: CommandIo, scale: number): Promise<readonly Measurement[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-bench-'));
  const rows: Measurement[] = [];
  const onRow = (row: Measurement): void => {
    rows.push(row);
    io.note(`${row.name}, ${row.callers} at once: ${row.perSecond.toFixed(0)}/s`);
  };
  // Durable as in production: fsync and synchronous commits stay on.
  const postgres = await startEmbeddedPostgres({ dataRoot: join(folder, 'postgres'), lifetime: 'throw-away', onProgress: () => {} });
  try {
    await migrate({ connectionString: postgres.url });
    const secret = crypto.randomUUID() + crypto.randomUUID();
    const context = openProvisioning({ connectionString: postgres.url, secrets: [secret] });
    const run: Run = { postgres: postgres.pid, scale, onRow };
    await benchLog(run, { log: context.log, pool: context.pool });
    await context.close();

    const port = await findFreePort();
    const publicUrl = `http://localhost:${port}`;
    // A database of its own: the worker would else be busy with the events of the measurements before.
    const database = await createDatabase({ connectionString: postgres.url, name: 'http' });
    await migrate({ connectionString: database });
    const demo = await seed({ connectionString: database, secret, publicUrl, examplesUrl: nowhere, dataDir: folder });
    const environment = {
      DATABASE_URL: database,
      PUBLIC_URL: publicUrl,
      PORT: String(port),
      GRANTLOG_SECRET: secret,
      LOG_LEVEL: 'warn',
    };
    const services = [await startService('api', environment), await startService('worker', environment)] as const;
    try {
      await benchHttp(run, { demo, api: services[0].pid });
    } finally {
      await Promise.all(services.map((service) => service.stop()));
    }
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
};

/** What is measured by a program of its own: it depends on more than the command line does. */
const programs = ['webhooks', 'audit'] as const;
type Program = (typeof programs)[number];

const isProgram = (name: string): name is Program => programs.some((program) => program === name);

const runProgram = (name: Program, argv: readonly string[]): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(checkout, 'test', 'load', name, 'main.ts'), ...argv], { stdio: 'inherit' });
    child.once('exit', (code) => resolve(code ?? 1));
  });

/** `grantlog bench`. */
export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure append, load, refresh and introspection here, the delivery of webhooks, or the audit of a long history',
  usage: `grantlog bench [webhooks | audit] [--scale <factor>] [--json <file>]

Measures on a throw-away embedded Postgres with fsync on: appends as a redemption makes them (one event, three streams
read), loads of a grant with its client, account and platform, and refresh and introspection over HTTP against one API
process with one worker beside it. Prints rate, p50, p99 and CPU of Node and Postgres apart. A scale below 1 is quicker.

With webhooks: deliveries a second by a worker as it runs in production, on both queues, beside a loop of nothing but BullMQ and
undici in the same run, and the time from a commit to the first attempt. Needs redis-server.

With audit: 1,000,000 events by the domain itself, times the scale; then the signed tree and every projection from the first event
on, each question to the audit with p50 and p95, and exports with the memory of the API. Some minutes; needs 3 GB of disk.`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { scale: { type: 'string', default: '1' }, json: { type: 'string' } },
    });
    const scale = Number(values.scale);
    if (!(scale > 0 && scale <= 100)) throw new UsageError('--scale is a number above 0, at most 100');
    const [program, ...rest] = positionals;
    if (rest.length > 0 || (program !== undefined && !isProgram(program))) throw new UsageError('bench takes webhooks, audit or nothing');
    if (program !== undefined) {
      const file = values.json === undefined ? [] : ['--json', values.json];
      return runProgram(program, ['--scale', values.scale, ...file]);
    }
    const rows = await measureAll(io, scale);
    for (const line of toTable(rows)) io.out(line);
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  },
};
