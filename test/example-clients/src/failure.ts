/** How the command ends: 1 is for whoever runs it to mend, 2 is a wrong command line, 3 needs a person's consent. */
export type ExitCode = 1 | 2 | 3;

/** Something that the person at the terminal can put right: one message and what to do, never a stack, never a token. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;

  constructor(summary: string, fix: string, exitCode: ExitCode = 1) {
    super(`${summary}\n  Fix: ${fix}`);
    this.exitCode = exitCode;
  }
}

/** The `code` of a system error (`ENOENT`, `EEXIST`), or null for anything else. */
export const systemErrorCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
