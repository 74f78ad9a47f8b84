import { statfs } from 'node:fs/promises';
import { Problem, systemErrorCode } from './problem.ts';

/** The message for a full disk; also used before the first start, when too little is left for a database to be made. */
export const diskFull = (directory: string): Problem =>
  new Problem(
    `The disk that holds ${directory} is full.`,
    'free some space (a database needs 256 MB to begin with), or set DATA_DIR to a folder on another disk.',
  );

/** Less than one segment of Postgres's write-ahead log is left: it can no longer start, nor perhaps say so in its log. */
export const isDiskFull = async (directory: string): Promise<boolean> => {
  const space = await statfs(directory);
  return space.bavail * space.bsize < 16 * 1024 * 1024;
};

/** Turns a system error about the data folder into its message; anything else comes back unchanged. */
export const explainDiskError = (error: unknown, directory: string): unknown => {
  switch (systemErrorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(directory);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Problem(
        `The data folder ${directory} may not be used (${error instanceof Error ? error.message : String(error)}).`,
        'set DATA_DIR to a folder that you may write to, or run as the user who owns it.',
        { cause: error },
      );
    default:
      return error;
  }
};
