import { spawn } from 'node:child_process';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { Problem, unlessMissing } from '../problem.ts';
import { describeEnding, type Ending, ended, pause, within } from '../processes/ended.ts';
import { lastLines } from '../processes/log-tail.ts';

export type ServicePlan = {
  readonly name: 'api' | 'worker' | 'examples';
  readonly script: string;
  readonly environment: Environment;
  readonly readyUrl: string;
};

export type RunningService = {
  readonly name: string;
  readonly logPath: string;
  readonly ended: Promise<Ending>;
  /** SIGTERM, then SIGKILL after 16 s. */
  stop(): Promise<void>;
};

/**
 * Spawns a service as a direct child.
 *
 * The rule for its `main.ts`: SIGTERM and SIGINT drain and end it, and so does `process.on('disconnect')`. The channel to us
 * closes when we end, however we end, so a launcher that is killed leaves no service behind.
 */
export const startService = async (plan: ServicePlan, logs: string): Promise<RunningService> => {
  const logPath = join(logs, `${plan.name}.log`);
  await unlessMissing(rename(logPath, `${logPath}.1`));
  const log = await open(logPath, 'a', 0o600);
  const child = spawn(process.execPath, [plan.script], {
    env: plan.environment,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    detached: true, // ^C is ours to pass on: the API must drain before the database stops
  });
  await log.close();
  const end = ended(child);
  end.catch(() => undefined); // whoever awaits `ended` is told
  return { name: plan.name, logPath, ended: end, stop: () => stopService(child, end) };
};

/**
 * Waits until the service answers 200 on its `/readyz`.
 *
 * @throws Problem with the service's last lines when it ends, or is not ready after 60 s
 */
export const untilReady = async (service: RunningService, readyUrl: string, signal: AbortSignal): Promise<void> => {
  const stop = new AbortController();
  const ready = pollReady(readyUrl, AbortSignal.any([signal, stop.signal]));
  try {
    const outcome = await within(60_000, Promise.race([ready, service.ended]));
    if (outcome === 'ready') return;
    if (outcome === 'too late') throw await lastWords(service, `is not ready after 60 s (${readyUrl})`);
    throw await lastWords(service, `ended before it was ready (${describeEnding(outcome)})`);
  } finally {
    stop.abort();
    ready.catch(() => undefined); // an aborted poll has nothing more to say
  }
};

/** What a service that failed has to say for itself: its last lines, and where the rest is. */
export const lastWords = async (service: RunningService, what: string): Promise<Problem> => {
  const lines = (await lastLines(service.logPath, 15)).map((line) => `    ${line}`);
  return new Problem([`The ${service.name} ${what}.`, ...lines].join('\n'), `look into ${service.logPath}, then start again.`);
};

const pollReady = async (url: string, signal: AbortSignal): Promise<'ready'> => {
  for (;;) {
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) });
      await response.body?.cancel();
      if (response.ok) return 'ready';
    } catch {
      signal.throwIfAborted(); // anything else: not listening yet
    }
    await pause(100, signal);
  }
};

const stopService = async (child: ReturnType<typeof spawn>, end: Promise<Ending>): Promise<void> => {
  const settled = end.then(
    () => undefined,
    () => undefined,
  );
  child.kill('SIGTERM');
  if ((await within(16_000, settled)) !== 'too late') return;
  child.kill('SIGKILL');
  await settled;
};
