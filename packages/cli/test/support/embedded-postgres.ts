import { expect, onTestFinished } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/index.ts';
import { identify } from '../../src/processes/identity.ts';
import { runScript, type Script } from './process.ts';
import { eventually } from './temporary.ts';

/** Milliseconds for one test: making a cluster takes seconds. */
export const patience = 60_000;

/** A server for one test, stopped after it. What it says on the way is added to `said`. */
export const start = async (
  dataRoot: string,
  more: { port?: number; signal?: AbortSignal; said?: string[] } = {},
): Promise<EmbeddedPostgres> => {
  const { said, ...options } = more;
  const postgres = await startEmbeddedPostgres({
    dataRoot,
    lifetime: 'kept',
    settings: { fsync: 'off' },
    waitMs: 500,
    onProgress: (message) => said?.push(message),
    ...options,
  });
  onTestFinished(() => postgres.stop());
  return postgres;
};

/** The process of the server that a script has started. */
export const untilReady = async (script: Script): Promise<number> => {
  await eventually(`ready, not: ${script.output()}`, () => /ready \d+/.test(script.output()));
  return Number(/ready (\d+)/.exec(script.output())?.[1]);
};

/** Kills a script when it has made a server, which then has nobody. */
export const orphanServer = async (dataRoot: string): Promise<number> => {
  const script = runScript('hold-postgres.ts', [dataRoot]);
  const server = await untilReady(script);
  script.child.kill('SIGKILL');
  await script.exitCode;
  expect(identify(server)).not.toBeNull();
  return server;
};
