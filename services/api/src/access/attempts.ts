import type { NameId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBucket, type AttemptBudget, giveBackAttempt, type Pool, takeAttempt } from '@grantlog/postgres';
import type { Deps } from '../deps.ts';
import { networkOf } from './network.ts';

/** Whose password is tried, and from where. */
export type Attempt = {
  readonly platform: PlatformId;
  /** Of the email as it was typed, whether an account has it or not: a stranger learns nothing from being refused. */
  readonly name: NameId;
  readonly address: string;
  /** The browser's own id, where the account has signed in with it before. */
  readonly device: string | null;
};

/** Guesses from one address against all accounts: password spraying. Offices share addresses, so it is wide. */
const ofAddress = { capacity: 100, secondsEach: 6 };
/** Guesses from one address against one account. */
const ofNameAndAddress = { capacity: 10, secondsEach: 20 };
/** The same while the account is under attack from many addresses at once. */
const underAttack = { capacity: 3, secondsEach: 60 };
/** Guesses by a browser that the account has used before; nobody else can take from it. */
const ofDevice = { capacity: 10, secondsEach: 20 };
/** Failures of an account within an hour, from anywhere, that count as an attack. The gauge refuses nobody by itself. */
const attackFrom = 100;

const hour = 3_600_000;

/**
 * What an attempt takes from. Failed guesses are bounded for each account and each address (NIST SP 800-63B §5.2.2), and
 * nobody can lock another out by failing in their name: whoever fails elsewhere only makes unknown addresses strict, and
 * a browser that the account has used before has a bucket of its own (OWASP, "device cookies"), also at the same address.
 *
 * The keys are MACs under the newest of GRANTLOG_SECRET: rotating it gives everybody a fresh budget, once.
 *
 * @param now milliseconds since the epoch by the database's clock.
 */
const budgetOf = ({ sealer }: Pick<Deps, 'sealer'>, attempt: Attempt, now: number): AttemptBudget => {
  const { platform, name, device } = attempt;
  const keyOf = (...what: readonly (string | number)[]): Uint8Array =>
    sealer.mac('attempt bucket', new TextEncoder().encode([platform, ...what].join(' ')));
  if (device !== null) return { buckets: [{ key: keyOf('device', name, device), ...ofDevice }], gauge: null };
  const network = networkOf(attempt.address) ?? 'unknown';
  const buckets: readonly AttemptBucket[] = [
    { key: keyOf('address', network), ...ofAddress },
    { key: keyOf('name-address', name, network), ...ofNameAndAddress, strict: underAttack },
  ];
  const current = Math.floor(now / hour);
  return { buckets, gauge: { thisHour: keyOf('gauge', name, current), lastHour: keyOf('gauge', name, current - 1), limit: attackFrom } };
};

/** An attempt that may look at the password. What it took is spent, unless it is given back. */
export type Admission =
  | { readonly outcome: 'admitted'; readonly giveBack: () => Promise<void> }
  | {
      readonly outcome: 'refused';
      /** Whole seconds. */
      readonly retryAfter: number;
    };

/**
 * Lets an attempt through, taking from its buckets before the password is looked at: so parallel attempts cannot exceed
 * them, and no more than ten may be under way for one account from one address.
 *
 * @throws LogUnavailable when the buckets cannot be read; nobody is let through then.
 */
export const admit = async (
  deps: Pick<Deps, 'sealer'> & { readonly provisioning: { readonly pool: Pool } },
  attempt: Attempt,
  now: number,
): Promise<Admission> => {
  const { pool } = deps.provisioning;
  const budget = budgetOf(deps, attempt, now);
  const wait = await takeAttempt(pool, attempt.platform, budget, now);
  if (wait > 0) return { outcome: 'refused', retryAfter: Math.ceil(wait) };
  return { outcome: 'admitted', giveBack: () => giveBackAttempt(pool, attempt.platform, budget) };
};
