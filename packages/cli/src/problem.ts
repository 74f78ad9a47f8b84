/**
 * Something the person at the terminal can put right: printed as one message, without a stack.
 *
 * `fix` names the setting or the command that helps.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly fix: string;

  constructor(summary: string, fix: string, options?: ErrorOptions) {
    super(`${summary}\n  Fix: ${fix}`, options);
    this.fix = fix;
  }
}

/** The `code` of a system error (`ENOENT`, `EADDRINUSE`), or `null` for anything else. */
export const systemErrorCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;

/** Runs `read` and answers `null` where the file or folder does not exist; other errors pass through. */
export const unlessMissing = async <Value>(read: Promise<Value>): Promise<Value | null> => {
  try {
    return await read;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
};
