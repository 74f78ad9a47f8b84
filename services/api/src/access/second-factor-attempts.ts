import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBucket, type AttemptBudget, giveBackAttempt, type Pool, takeAttempt } from '@grantlog/postgres';
import type { Deps } from '../deps.ts';
import type { Admission } from './attempts.ts';
import { networkOf } from './network.ts';

/** A code that is tried for an account whose password was right before, or whose sign-in stands. */
export type CodeAttempt = {
  readonly platform: PlatformId;
  readonly account: AccountId;
  readonly address: string;
  /** The browser's own id, where the account has signed in with it before. */
  readonly device: string | null;
};

/** Wrong codes from one place. Three codes of a million are right at a time, so a guesser needs months of these. */
const fromOnePlace = { capacity: 5, secondsEach: 30 };
/** Wrong codes by strangers from anywhere: whoever spends it knows the password. The account's own browsers are not held up. */
const byStrangers = { capacity: 20, secondsEach: 60 };

/**
 * Lets a code be looked at, taking from its buckets first, so that parallel guesses cannot exceed them.
 *
 * @param now milliseconds since the epoch by the database's clock.
 * @throws LogUnavailable when the buckets cannot be read; nobody is let through then.
 */
export const admitCode = async (
  deps: Pick<Deps, 'sealer'> & { readonly provisioning: { readonly pool: Pool } },
  attempt: CodeAttempt,
  now: number,
): Promise<Admission> => {
  const { platform, account, device } = attempt;
  const { pool } = deps.provisioning;
  const keyOf = (...what: readonly string[]): Uint8Array =>
    deps.sealer.mac('second factor bucket', new TextEncoder().encode([platform, account, ...what].join(' ')));
  const buckets: readonly AttemptBucket[] =
    device === null
      ? [
          { key: keyOf('address', networkOf(attempt.address) ?? 'unknown'), ...fromOnePlace },
          { key: keyOf('strangers'), ...byStrangers },
        ]
      : [{ key: keyOf('device', device), ...fromOnePlace }];
  const budget: AttemptBudget = { buckets, gauge: null };
  const wait = await takeAttempt(pool, platform, budget, now);
  if (wait > 0) return { outcome: 'refused', retryAfter: Math.ceil(wait) };
  return { outcome: 'admitted', giveBack: () => giveBackAttempt(pool, platform, budget) };
};
