import { type ChildProcess, fork, spawn } from 'node:child_process';
import { join } from 'node:path';
import { findFreePort } from '@grantlog/cli';
import type { ReceiverCommand, ReceiverReport } from './receiver.ts';

const here = import.meta.dirname;
const checkout = join(here, '..', '..', '..');

/** What a process says next; rejects where it ends instead. */
export const nextMessage = <Message>(child: ChildProcess): Promise<Message> =>
  new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    const onExit = (code: number | null): void => reject(new Error(`a process of the measurement ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', () => child.off('exit', onExit));
  });

export type LoadReceiver = {
  readonly url: string;
  readonly pid: number;
  readonly tell: (command: ReceiverCommand) => void;
  readonly report: () => Promise<ReceiverReport>;
  readonly stop: () => void;
};

export const startReceiver = async (): Promise<LoadReceiver> => {
  const child = fork(join(here, 'receiver.ts'));
  const { port } = await nextMessage<{ readonly port: number }>(child);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    tell: (command) => void child.send(command),
    report: () => {
      const answer = nextMessage<ReceiverReport>(child);
      child.send({ kind: 'report' } satisfies ReceiverCommand);
      return answer;
    },
    stop: () => void child.kill(),
  };
};

export type BareResult = { readonly perSecond: number; readonly nodeCpu: number };

/** Runs the bare loop for so many requests. */
export const runBareLoop = (of: {
  readonly backend: 'redis' | 'postgres';
  readonly connection: string;
  readonly url: string;
  readonly jobs: number;
  readonly body: string;
}): Promise<BareResult> =>
  nextMessage<BareResult>(fork(join(here, 'bare-loop.ts'), [of.backend, of.connection, of.url, String(of.jobs), of.body]));

/** A service in a process of its own. */
export type LoadService = {
  readonly pid: number;
  readonly opsUrl: string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<void>;
};

/** Starts a service as it runs in production. */
export const startService = async (name: 'api' | 'worker', environment: Readonly<Record<string, string>>): Promise<LoadService> => {
  const opsPort = String(await findFreePort());
  const child = spawn(process.execPath, [join(checkout, 'services', name, 'src/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      PUBLIC_URL: 'http://localhost:4000',
      LOG_LEVEL: 'warn',
      ...(process.env['LOAD_NODE_OPTIONS'] ? { NODE_OPTIONS: process.env['LOAD_NODE_OPTIONS'] } : {}),
      ...environment,
      OPS_PORT: opsPort,
    },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const opsUrl = `http://127.0.0.1:${opsPort}`;
  for (let waited = 0; waited < 30_000 && child.exitCode === null; waited += 50) {
    const ready = await fetch(`${opsUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) {
      return {
        pid: child.pid ?? 0,
        opsUrl,
        kill: (signal) => void child.kill(signal),
        stop: async () => {
          child.kill('SIGTERM');
          await ended;
        },
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`the ${name} did not become ready`);
};
