import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';

/** An authenticator app that is being set up. It travels with whoever does so: nothing is written before its first code. */
export type PendingEnrolment = {
  readonly account: AccountId;
  /** The version of the account at which it began; another one voids it. */
  readonly accountVersion: number;
  /** In base64. */
  readonly seed: string;
  /** Whether it takes the place of a factor, which was proved for it. */
  readonly replaces: boolean;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
};

const lifetime = 900_000;
const purpose = (platform: PlatformId): string => `second factor enrolment ${platform}`;

export const sealEnrolment = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, pending: PendingEnrolment): string =>
  sealer.sealJson(pending, purpose(platform));

/** The enrolment that was begun, or null when it is not ours, not this account's or older than 15 minutes. */
export const openEnrolment = (
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  sent: { readonly sealed: string | undefined; readonly account: AccountId; readonly now: number },
): PendingEnrolment | null => {
  // What opens was sealed by sealEnrolment for this purpose.
  const pending = sent.sealed === undefined ? null : (sealer.openJson(sent.sealed, purpose(platform)) as PendingEnrolment | null);
  if (pending === null || pending.account !== sent.account) return null;
  const age = sent.now - pending.issuedAt;
  return age < 0 || age >= lifetime ? null : pending;
};
