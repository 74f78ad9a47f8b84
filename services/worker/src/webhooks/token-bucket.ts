/** Holds the sending to one endpoint to a rate, with a second's worth at once. */
export type TokenBucket = {
  /** Takes a token, or says in how many milliseconds there will be one; 0 when it took one. */
  readonly take: () => number;
  /** What is left now. */
  readonly left: () => number;
};

/**
 * @param of.perSecond tokens a second, and the most that gather.
 * @param of.left what was left `ageMs` ago; null for a full one.
 * @param of.now milliseconds of a clock that never steps back.
 */
export const createTokenBucket = (of: {
  readonly perSecond: number;
  readonly left: number | null;
  readonly ageMs: number;
  readonly now: () => number;
}): TokenBucket => {
  const { perSecond, now } = of;
  const grown = (from: number, ms: number): number => Math.min(perSecond, from + (Math.max(0, ms) / 1_000) * perSecond);
  let tokens = of.left === null ? perSecond : grown(of.left, of.ageMs);
  let at = now();
  const refill = (): void => {
    const time = now();
    tokens = grown(tokens, time - at);
    at = time;
  };
  return {
    take: () => {
      refill();
      if (tokens < 1) return Math.ceil(((1 - tokens) / perSecond) * 1_000);
      tokens -= 1;
      return 0;
    },
    left: () => {
      refill();
      return tokens;
    },
  };
};
