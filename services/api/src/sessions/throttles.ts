import type { SessionId } from '@grantlog/domain';
import { platformStream } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AttemptBucket, type AttemptBudget, giveBackAttempt, type Pool, takeAttempt } from '@grantlog/postgres';
import type { Admission } from '../access/attempts.ts';
import { networkOf } from '../access/network.ts';
import type { Deps } from '../deps.ts';

type Context = Pick<Deps, 'sealer' | 'log'> & { readonly provisioning: { readonly pool: Pool } };
type Size = Omit<AttemptBucket, 'key'>;

/** Sign-ups that one address begins, each of which writes. The agents of a whole service come from few addresses. */
const signUpsOfAddress: Size = { capacity: 100, secondsEach: 6 };
/** Sign-ups that name one webhook host, each of which sends it a request: nobody is flooded through us. */
const signUpsOfHost: Size = { capacity: 120, secondsEach: 3 };
/** User codes that one address tries, and how many it has while the platform's codes are guessed from everywhere. */
const codesOfAddress: Size & { readonly strict: Size } = {
  capacity: 10,
  secondsEach: 60,
  strict: { capacity: 3, secondsEach: 300 },
};
/** Wrong codes of a platform within an hour that count as guessing. People mistype; they do not make a thousand of it. */
const guessingFrom = 1_000;
/** Seconds by which a poll may come early: the network delays one and not the next. */
const jitter = 1;

const hour = 3_600_000;

const keyOf = ({ sealer }: Pick<Context, 'sealer'>, platform: PlatformId, ...what: readonly (string | number)[]): Uint8Array =>
  sealer.mac('session bucket', new TextEncoder().encode([platform, ...what].join(' ')));

const clockOf = async ({ log }: Pick<Context, 'log'>, platform: PlatformId): Promise<number> =>
  (await log.load(platform, [{ streamId: platformStream }])).now;

/** Whether a sign-up may begin; if not, which budget is spent, and for how many whole seconds. */
export type SignUpAdmission =
  | { readonly outcome: 'admitted' }
  | { readonly outcome: 'refused'; readonly retryAfter: number; readonly which: 'address' | 'webhook_host' };

/**
 * Lets a sign-up begin, taking from its budgets before anything is written for somebody who has proved nothing.
 *
 * @param signUp.webhookHost of the URL that the agent wants to be told at; null for none.
 * @throws LogUnavailable when the buckets cannot be read; nothing begins then.
 */
export const admitSignUp = async (
  deps: Context,
  signUp: { readonly platform: PlatformId; readonly address: string; readonly webhookHost: string | null },
): Promise<SignUpAdmission> => {
  const { platform, address, webhookHost } = signUp;
  const { pool } = deps.provisioning;
  const now = await clockOf(deps, platform);
  const bucket = (size: Size, ...what: readonly string[]): AttemptBudget => ({
    buckets: [{ key: keyOf(deps, platform, ...what), ...size }],
    gauge: null,
  });
  const ofAddress = bucket(signUpsOfAddress, 'sign-up address', networkOf(address) ?? 'unknown');
  const wait = await takeAttempt(pool, platform, ofAddress, now);
  if (wait > 0) return { outcome: 'refused', retryAfter: Math.ceil(wait), which: 'address' };
  if (webhookHost === null) return { outcome: 'admitted' };
  // `agent.example.` and `agent.example..` are sent to as one host, so they are one.
  const ofHost = bucket(signUpsOfHost, 'sign-up host', webhookHost.toLowerCase().replace(/\.+$/, ''));
  const hostWait = await takeAttempt(pool, platform, ofHost, now);
  if (hostWait <= 0) return { outcome: 'admitted' };
  await giveBackAttempt(pool, platform, ofAddress);
  return { outcome: 'refused', retryAfter: Math.ceil(hostWait), which: 'webhook_host' };
};

/**
 * Whether a poll of a pending session comes no sooner than its interval allows, by whichever door the agent asks. Ask it
 * only where the answer would be that nobody has decided yet: what has been decided is told at once, however soon.
 *
 * The interval is enforced as it was given. An agent that was told `slow_down` adds five seconds by itself (RFC 8628
 * §3.5); one that does not is told so again.
 *
 * @param poll.now milliseconds since the epoch by the database's clock.
 * @throws LogUnavailable
 */
export const admitPoll = async (
  deps: Pick<Context, 'sealer' | 'provisioning'>,
  poll: { readonly platform: PlatformId; readonly session: SessionId; readonly intervalSeconds: number; readonly now: number },
): Promise<boolean> => {
  const { platform, session, intervalSeconds } = poll;
  const size: Size = { capacity: 1 + jitter / intervalSeconds, secondsEach: intervalSeconds };
  const budget: AttemptBudget = { buckets: [{ key: keyOf(deps, platform, 'poll', session), ...size }], gauge: null };
  return (await takeAttempt(deps.provisioning.pool, platform, budget, poll.now)) <= 0;
};

/**
 * Lets a user code be looked up, taking from its budget first; give it back for a code that was one. Guessing from many
 * addresses makes the platform strict with each and closes it to nobody.
 *
 * @throws LogUnavailable when the buckets cannot be read; no code is looked up then.
 * @see RFC 8628 §5.1
 */
export const admitUserCode = async (
  deps: Context,
  attempt: { readonly platform: PlatformId; readonly address: string },
): Promise<Admission> => {
  const { platform, address } = attempt;
  const { pool } = deps.provisioning;
  const now = await clockOf(deps, platform);
  const current = Math.floor(now / hour);
  const budget: AttemptBudget = {
    buckets: [{ key: keyOf(deps, platform, 'user code', networkOf(address) ?? 'unknown'), ...codesOfAddress }],
    gauge: {
      thisHour: keyOf(deps, platform, 'user code gauge', current),
      lastHour: keyOf(deps, platform, 'user code gauge', current - 1),
      limit: guessingFrom,
    },
  };
  const wait = await takeAttempt(pool, platform, budget, now);
  if (wait > 0) return { outcome: 'refused', retryAfter: Math.ceil(wait) };
  return { outcome: 'admitted', giveBack: () => giveBackAttempt(pool, platform, budget) };
};
