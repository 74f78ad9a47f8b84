import { findPackageManagers, watchProcesses } from '../processes/ancestors.ts';

/** Why we were asked to end. */
export type EndReason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'the package manager that started it ended';

export type EndRequest = {
  /** Aborts at the first request; its reason is an {@link Ended}. Later requests change nothing: pnpm and the terminal both pass on ^C. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  dispose(): void;
};

/** The reason of the abort. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly reason: EndReason;

  constructor(reason: EndReason) {
    super(`ended by ${reason}`);
    this.reason = reason;
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens for every way to be told to end: the signals, and the end of a package manager above us. */
export const listenForEnd = (): EndRequest => {
  const controller = new AbortController();
  const end = (reason: EndReason): void => controller.abort(new Ended(reason));
  const listeners = signals.map((name) => ({ name, listener: () => end(name) }));
  for (const { name, listener } of listeners) process.on(name, listener);
  const unwatch = watchProcesses(findPackageManagers(), () => end('the package manager that started it ended'));
  return {
    signal: controller.signal,
    dispose: () => {
      unwatch();
      for (const { name, listener } of listeners) process.removeListener(name, listener);
    },
  };
};

/** The promise's outcome, unless the end is requested first. For work that cannot be interrupted but may be abandoned. */
export const unlessEnded = async <Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> => {
  signal.throwIfAborted();
  work.catch(() => undefined); // abandoned work may fail when its database stops
  let stopListening: (() => void) | undefined;
  const asked = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    stopListening = () => signal.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, asked]);
  } finally {
    stopListening?.();
  }
};
