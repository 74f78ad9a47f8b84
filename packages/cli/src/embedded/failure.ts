import { diskFull } from '../disk-problem.ts';
import { Problem } from '../problem.ts';

/** Why initdb or postgres gave up, as far as a start can react to it. */
export type ServerFailure = 'port in use' | 'disk full' | 'earlier server ending' | 'not permitted' | 'nameless user' | 'other';

/** Reads the reason from what Postgres printed; its messages are in English because it is started with `LC_ALL=C`. */
export const classifyFailure = (lines: readonly string[]): ServerFailure => {
  const text = lines.join('\n');
  if (/No space left on device|Disk quota exceeded/i.test(text)) return 'disk full';
  if (/Address already in use/.test(text)) return 'port in use';
  if (/pre-existing shared memory block|lock file "postmaster\.pid" already exists/.test(text)) return 'earlier server ending';
  if (/could not look up effective user ID/.test(text)) return 'nameless user';
  if (/Permission denied|Operation not permitted/.test(text)) return 'not permitted';
  return 'other';
};

/** The one message for a failed start: what happened, the setting that helps, and Postgres's own last words. */
export const explainFailure = (task: {
  readonly step: 'initdb' | 'postgres';
  readonly ending: string;
  readonly lines: readonly string[];
  readonly directory: string;
  readonly port: number | null;
}): Problem => {
  const words = task.lines.slice(-8).map((line) => `    ${line}`);
  const said = words.length === 0 ? '' : `\n${words.join('\n')}`;
  const failure = classifyFailure(task.lines);
  switch (failure) {
    case 'disk full':
      return diskFull(task.directory);
    case 'port in use':
      return new Problem(
        `The embedded Postgres cannot listen on 127.0.0.1:${task.port ?? '?'}: the port is in use.`,
        'free that port or leave it out, so that a free one is chosen.',
      );
    case 'earlier server ending':
      return new Problem(
        `An earlier Postgres still uses ${task.directory}.${said}`,
        'wait for it to end and start again, or set DATA_DIR to another folder.',
      );
    case 'not permitted':
      return new Problem(
        `The embedded Postgres may not use ${task.directory} (${task.step}: ${task.ending}).${said}`,
        'set DATA_DIR to a folder that you own on a local disk, or set DATABASE_URL to a Postgres of your own.',
      );
    case 'nameless user':
      return new Problem(
        `Postgres needs a user with a name, and user ${process.getuid?.() ?? '?'} has no entry in /etc/passwd.`,
        'run as a user that has one (or as root), or set DATABASE_URL to a Postgres of your own.',
      );
    case 'other':
      return new Problem(
        `The embedded Postgres did not start (${task.step}: ${task.ending}).${said}`,
        'set DATABASE_URL to a Postgres of your own, or run reset to begin with an empty database.',
      );
  }
};

/** A process that could not even be started: no such user may be taken, or the binaries are for another C library. */
export const explainSpawnError = (error: unknown): Problem =>
  new Problem(
    `The embedded Postgres cannot be run on this system (${error instanceof Error ? error.message : String(error)}).`,
    'set DATABASE_URL to a Postgres of your own. The binaries need glibc, and root needs the right to change user.',
    { cause: error },
  );
