import type { Logger } from './logger.ts';

/** The end of a process, in order. */
export type Shutdown = {
  /** Adds a step. Steps run one after another, the last registered first: what was opened last is closed first. */
  readonly register: (name: string, step: () => unknown) => void;
  /** Listens for SIGTERM, SIGINT and for defects that nobody caught. */
  readonly listen: () => void;
  /** Ends the process; later calls change nothing. `code` is the exit code where every step succeeds. */
  readonly begin: (why: string, code?: number) => void;
};

/** The parts of `process` that ending one needs. */
type Process = {
  readonly on: (event: string, listener: (detail: unknown) => void) => unknown;
  readonly exit: (code: number) => void;
};

/** A terminal signals the whole group and a launcher repeats it: within this time two signals are one wish. */
const sameWishMs = 1_000;

/**
 * Makes the shutdown of a process: steps in reverse order, once; exit 0, or 1 where a step failed.
 *
 * A second signal, not right after the first, exits at once. After the deadline the process exits with 1 and the log
 * names the step that hung.
 *
 * @param options.deadlineMs for all steps together; default 25,000, below the 30 s that orchestrators grant.
 */
export const createShutdown = (options: { readonly log: Logger; readonly deadlineMs?: number; readonly process?: Process }): Shutdown => {
  const { log, deadlineMs = 25_000, process: host = process } = options;
  const steps: { readonly name: string; readonly run: () => unknown }[] = [];
  let begunAt: number | null = null;

  const run = async (code: number): Promise<void> => {
    let current = 'none';
    const deadline = setTimeout(() => {
      log.fatal({ step: current, deadlineMs }, 'shutdown hung in a step, exiting without it');
      host.exit(1);
    }, deadlineMs);
    let failed = false;
    for (const { name, run: step } of steps.toReversed()) {
      current = name;
      try {
        await step();
      } catch (err) {
        failed = true;
        log.error({ err, step: name }, 'a shutdown step failed, going on');
      }
    }
    clearTimeout(deadline);
    log.info('stopped');
    host.exit(failed ? 1 : code);
  };

  const begin = (why: string, code = 0): void => {
    if (begunAt !== null) return;
    begunAt = performance.now();
    log.info({ why }, 'stopping');
    void run(code);
  };

  const onSignal = (signal: string): void => {
    if (begunAt !== null && performance.now() - begunAt > sameWishMs) {
      log.warn({ signal }, 'second signal, exiting at once');
      host.exit(1);
      return;
    }
    begin(signal);
  };

  return {
    register: (name, step) => {
      steps.push({ name, run: step });
    },
    begin,
    listen: () => {
      host.on('SIGTERM', () => onSignal('SIGTERM'));
      host.on('SIGINT', () => onSignal('SIGINT'));
      for (const defect of ['uncaughtException', 'unhandledRejection']) {
        host.on(defect, (err) => {
          log.fatal({ err, defect }, 'a defect that nobody caught');
          begin(defect, 1);
        });
      }
    },
  };
};
