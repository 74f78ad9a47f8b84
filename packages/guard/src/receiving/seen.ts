/** One handling of one webhook, or of one security event. */
export type WebhookClaim = {
  /** The `webhook-id`; of a security event the issuer, the audience and the `jti`, with spaces between. */
  readonly id: string;
  /** Unix seconds. From then on another attempt may be handled, whatever has become of this one; also what tells claims of one id apart. */
  readonly until: number;
};

/**
 * Remembers which webhooks were handled, in three steps: an id is claimed before the handler begins and finished after it has ended,
 * so a process that dies in between loses no webhook. Whatever a method throws, no request is lost for it.
 */
export type SeenWebhooks = {
  /** Claims an id that is neither handled nor claimed by a claim whose time is not over; in one step, also among several processes. */
  readonly claim: (claim: WebhookClaim) => Claimed | Promise<Claimed>;
  /** The handler has ended well: the id is `handled` until `forgetAt`, in Unix seconds. */
  readonly finish: (handled: { readonly id: string; readonly forgetAt: number }) => unknown;
  /** The handler has failed: gives back this claim, and no later one of the same id. */
  readonly release: (claim: WebhookClaim) => unknown;
};

export type Claimed = 'claimed' | 'in_progress' | 'handled';

/** Longer than a webhook is tried for: three days, and a tenth more. */
export const rememberedSeconds = 4 * 86_400;

const handledCapacity = 100_000;
const claimCapacity = 10_000;

/**
 * Remembers in this process. Of handled ones the oldest is forgotten where there are more than 100,000.
 *
 * @param now milliseconds since the epoch.
 * @returns `claim` of which throws a RangeError while 10,000 are being handled: one that cannot be remembered is not begun.
 */
export const createSeenWebhooks = (now: () => number): SeenWebhooks => {
  const claims = new Map<string, number>();
  const handled = new Map<string, number>();

  const isOver = (end: number): boolean => end * 1000 <= now();
  const holds = (ends: ReadonlyMap<string, number>, id: string): boolean => !isOver(ends.get(id) ?? 0);
  // In the order in which they came: what ends later may keep one behind it for as long as a claim lasts.
  const forgetClaims = (): void => {
    for (const [id, until] of claims) {
      if (!isOver(until)) return;
      claims.delete(id);
    }
  };
  return {
    claim: ({ id, until }) => {
      forgetClaims();
      if (holds(handled, id)) return 'handled';
      if (holds(claims, id)) return 'in_progress';
      if (claims.size >= claimCapacity) throw new RangeError(`${claimCapacity} webhooks are being handled`);
      claims.set(id, until);
      return 'claimed';
    },
    finish: ({ id, forgetAt }) => {
      claims.delete(id);
      handled.delete(id);
      const [oldest] = handled.keys();
      if (oldest !== undefined && handled.size >= handledCapacity) handled.delete(oldest);
      handled.set(id, forgetAt);
    },
    release: ({ id, until }) => {
      if (claims.get(id) === until) claims.delete(id);
    },
  };
};
