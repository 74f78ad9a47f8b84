import { open } from 'node:fs/promises';
import { unlessMissing } from '../problem.ts';

/** Pino's numbers for the levels of LOG_LEVEL. */
const levels: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

/** From which level on a service's lines are shown: everything when verbose, what LOG_LEVEL says, else warnings. */
export const shownFrom = (verbose: boolean, logLevel: string | null): number => {
  if (verbose) return 0;
  return levels[logLevel?.toLowerCase() ?? 'warn'] ?? 40;
};

/**
 * Shows the lines that a service appends to its log, from `level` on, one short line each.
 *
 * The service writes to the file itself, so its last words are kept even when we are killed; we only read along.
 * Returns how to stop; what was written until then is still shown.
 */
export const followLog = (task: {
  readonly path: string;
  readonly name: string;
  readonly level: number;
  readonly show: (line: string) => void;
}): (() => Promise<void>) => {
  let offset = 0;
  let rest = '';
  let reading: Promise<void> = Promise.resolve();
  const readOn = async (): Promise<void> => {
    const file = await unlessMissing(open(task.path, 'r'));
    if (file === null) return;
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536, offset);
        if (bytesRead === 0) return;
        offset += bytesRead;
        const lines = (rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const shown = shorten(line, task.level);
          if (shown !== null) task.show(`${task.name}  ${shown}`);
        }
      }
    } finally {
      await file.close();
    }
  };
  const again = (): void => {
    reading = reading.then(readOn);
  };
  const timer = setInterval(again, 200);
  return async () => {
    clearInterval(timer);
    again();
    await reading;
  };
};

/** `null` where the line is below `level`. A line that is not JSON (a stack, a warning of Node) is shown only with everything. */
export const shorten = (line: string, level: number): string | null => {
  const entry = parseEntry(line);
  if (entry === null) return level === 0 && line.trim() !== '' ? line : null;
  if (entry.level < level) return null;
  const name = Object.entries(levels).find(([, value]) => value === entry.level)?.[0] ?? String(entry.level);
  return `${name}  ${entry.message}${entry.cause === null ? '' : `: ${entry.cause}`}`;
};

const parseEntry = (line: string): { readonly level: number; readonly message: string; readonly cause: string | null } | null => {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return null;
    const level: unknown = Reflect.get(value, 'level');
    const message: unknown = Reflect.get(value, 'msg');
    const error: unknown = Reflect.get(value, 'err');
    const cause: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : null;
    return {
      level: typeof level === 'number' ? level : (levels[String(level)] ?? 30),
      message: typeof message === 'string' ? message : line,
      cause: typeof cause === 'string' && cause !== message ? cause : null,
    };
  } catch {
    return null;
  }
};
