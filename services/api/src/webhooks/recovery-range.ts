import type { PlatformId } from '@grantlog/eventsourcing';
import { firstPositionSince, type KeptPlace, lastPositionUntil, type Pool, readEventTime, readOldestMessage } from '@grantlog/postgres';

/** Milliseconds for which messages are kept at least. */
const kept = 30 * 86_400_000;

/** From where a recovery is asked for: a time, milliseconds since the epoch, or a position of the log. */
export type RecoveryBeginning = { readonly since: number } | { readonly position: number };

/** `not_kept`: what was told then is gone; `oldest` is what is there, if anything is. */
export type RecoveryRange =
  | { readonly from: number; readonly through: number | null }
  | { readonly refusal: 'recovery_empty' }
  | { readonly refusal: 'not_kept'; readonly oldest: KeptPlace | null };

/** The positions that a recovery goes through, both inclusive; without an end it goes up to itself. */
export const recoveryRange = async (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly beginning: RecoveryBeginning; readonly until: number | null; readonly now: number },
): Promise<RecoveryRange> => {
  const { platform, beginning, until, now } = of;
  const since = 'since' in beginning ? beginning.since : await readEventTime(pool, platform, beginning.position);
  // No event stands at a position that is still to come.
  if (since === null || since > now || (until !== null && until < since)) return { refusal: 'recovery_empty' };
  if (since < now - kept) {
    const oldest = await readOldestMessage(pool, platform);
    if (oldest === null || since < oldest.at) return { refusal: 'not_kept', oldest };
  }
  const [from, through] = await Promise.all([
    'since' in beginning ? firstPositionSince(pool, platform, since) : beginning.position,
    until === null ? null : lastPositionUntil(pool, platform, until),
  ]);
  if (from === null || (until !== null && (through === null || through < from))) return { refusal: 'recovery_empty' };
  return { from, through };
};
