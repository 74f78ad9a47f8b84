import { hashPassword, needsRehash, verifyAgainstNothing, verifyPassword } from './passwords.ts';

/** Too many passwords wait to be hashed; the caller may ask again later (503). */
export class PasswordsBusy extends Error {
  override readonly name = 'PasswordsBusy';
  constructor() {
    super('too many passwords wait to be hashed');
  }
}

/** Password hashing with a bound. Each call may throw {@link PasswordsBusy}, before it has cost anything. */
export type Passwords = {
  readonly hash: (password: string) => Promise<string>;
  readonly verify: (phc: string, password: string) => Promise<boolean>;
  readonly verifyAgainstNothing: (password: string) => Promise<false>;
  readonly needsRehash: (phc: string) => boolean;
};

/**
 * Hashes at most `concurrency` passwords at once, in the order they came, while at most `queueLimit` more wait (default 32 for each
 * that runs). A flood of sign-ins is then refused at once, instead of taking the thread pool that signing and name lookup need too.
 *
 * @param limits.concurrency keep it below the thread pool's size (4 unless UV_THREADPOOL_SIZE says otherwise). Each takes 19 MiB.
 */
export const createPasswords = (limits: { readonly concurrency: number; readonly queueLimit?: number }): Passwords => {
  if (!Number.isInteger(limits.concurrency) || limits.concurrency < 1) throw new RangeError('concurrency is a whole number from 1');
  const queueLimit = limits.queueLimit ?? limits.concurrency * 32;
  const waiting: (() => void)[] = [];
  let running = 0;

  const bounded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < limits.concurrency) running += 1;
    else if (waiting.length >= queueLimit) throw new PasswordsBusy();
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place passes straight to the next in line, so that no newcomer can take it in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };

  return {
    hash: (password) => bounded(() => hashPassword(password)),
    verify: (phc, password) => bounded(() => verifyPassword(phc, password)),
    verifyAgainstNothing: (password) => bounded(() => verifyAgainstNothing(password)),
    needsRehash,
  };
};
