import { type ClaimedLogout, claimLogouts, type Database, type LogoutOutcome, receiverName, recordLogout } from '@grantlog/postgres';
import type { Logger } from '@grantlog/runtime';
import { insist } from '../webhooks/insist.ts';
import { createReceiverHealth, requestsAtOnce } from './receiver-health.ts';
import { type SendLogoutContext, sendLogout } from './send-logout.ts';

export type LogoutSender = {
  /** Tells whoever is to be told now; returns when nothing more is due, or may be begun. For a timer. */
  readonly send: () => Promise<void>;
  /** Begins nothing more and finishes what is begun. */
  readonly stop: () => Promise<void>;
};

const second = 1_000;

/** Requests at once, of all apps together. */
const concurrency = 32;
/** Longer than an attempt and its recording can take: a killed worker delays its claims by this much. */
const claimMs = 30 * second;
const lookAgainMs = second;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The sender of logout tokens; any number of workers share it. An attempt is claimed, made and recorded; where a worker dies
 * between the last two, the app is told once more, in a token of the same `jti`.
 */
export const createLogoutSender = (
  context: SendLogoutContext & {
    readonly pool: Database;
    readonly logger: Pick<Logger, 'warn' | 'error'>;
    readonly onLogout: (outcome: LogoutOutcome['kind']) => void;
    /** Milliseconds for which a claim holds. */
    readonly claimMs?: number;
  },
): LogoutSender => {
  const { pool, logger } = context;
  const health = createReceiverHealth(() => performance.now());
  const open = new Set<Promise<void>>();
  let stopping = false;
  let trouble: { readonly error: unknown } | null = null;
  let working: Promise<void> = Promise.resolve();

  const handle = async (claimed: ClaimedLogout): Promise<void> => {
    const { platform, id, attempt, client } = claimed;
    let outcome: LogoutOutcome | null = null;
    try {
      const made = await sendLogout(context, claimed);
      outcome = made;
      // What arrived and is not recorded arrives twice, so a short trouble of the database is sat out.
      const counted = await insist(() => recordLogout(pool, { platform, id, attempt, outcome: made }), { forMs: 10 * second });
      if (!counted) return;
      context.onLogout(made.kind);
      const where = { platform, client, logout: id, attempt };
      if (made.kind === 'due')
        logger.warn({ ...where, reason: made.error, retryInMs: made.retryInMs }, 'an app could not be told of a logout');
      if (made.kind === 'failed') logger.error({ ...where, reason: made.error }, 'an app was not told of a logout, and is not tried again');
    } finally {
      // A trouble of our own says nothing of the app.
      health.ended(receiverName(claimed), outcome?.kind !== 'due' && outcome?.kind !== 'failed');
    }
  };
  const begin = (claimed: ClaimedLogout): void => {
    health.begun(receiverName(claimed));
    const attempt: Promise<void> = handle(claimed)
      .catch((error: unknown) => {
        trouble ??= { error };
      })
      .finally(() => open.delete(attempt));
    open.add(attempt);
  };
  const work = async (): Promise<void> => {
    trouble = null;
    while (!stopping && trouble === null) {
      const limit = concurrency - open.size;
      const rooms = health.rooms();
      const claimed = await claimLogouts(pool, { limit, perClient: requestsAtOnce, rooms, claimMs: context.claimMs ?? claimMs });
      claimed.forEach(begin);
      if (open.size === 0) return;
      // Whoever answers makes room. Somebody who is slow keeps nobody else waiting for long.
      if (claimed.length === 0 || open.size >= concurrency) await Promise.race([...open, pause(lookAgainMs)]);
    }
    await Promise.all(open);
    const failed = trouble as { readonly error: unknown } | null;
    if (failed !== null) throw failed.error;
  };
  return {
    send: () => {
      if (!stopping) working = work();
      return working;
    },
    stop: async () => {
      stopping = true;
      // Whoever called `send` is told of its error.
      await working.catch(() => {});
    },
  };
};
