import type { ChildProcess } from 'node:child_process';

/** How a child ended: its exit code, or the signal that killed it. */
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** Resolves once the child has ended; at once if it already has. Rejects only if it could not be started. */
export const ended = (child: ChildProcess): Promise<Ending> =>
  new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve({ code: child.exitCode, signal: child.signalCode });
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', reject);
  });

/** In words, for messages: `exit code 1` or `signal SIGKILL`. */
export const describeEnding = (ending: Ending): string =>
  ending.signal === null ? `exit code ${ending.code ?? 'unknown'}` : `signal ${ending.signal}`;

/** A pause that does not keep the process alive by itself once it is aborted. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });

/** The value, or `'too late'` once `ms` have passed. */
export const within = async <Value>(ms: number, promise: Promise<Value>): Promise<Value | 'too late'> => {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, pause(ms, timer.signal).then(() => 'too late' as const)]);
  } finally {
    timer.abort();
  }
};
