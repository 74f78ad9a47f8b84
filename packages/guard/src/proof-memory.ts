/** A proof of possession that everything else is good about. */
export type UsedProof = {
  /** Stands for the proof's key and its `jti`: 43 characters, the same for whoever sees the proof. */
  readonly id: string;
  /** Unix seconds; from then on its time alone refuses it. */
  readonly until: number;
};

/** Takes a proof once: false where it was taken before. Whatever it throws, the request is answered with 503. */
export type SpendProof = (proof: UsedProof) => boolean | Promise<boolean>;

/** More than anybody sends within the two minutes that a proof can be good for. */
const capacity = 200_000;

/**
 * Remembers used proofs in this process until their time is over.
 *
 * @param now milliseconds since the epoch.
 * @throws RangeError where more proofs are good at once than it can hold: one that cannot be remembered is not taken.
 * @see RFC 9449 §11.1
 */
export const createProofMemory = (now: () => number): ((proof: UsedProof) => boolean) => {
  const untilOf = new Map<string, number>();
  const forget = (): void => {
    // In the order in which they came: what ends later may keep one behind it for as long as a proof lives.
    for (const [id, until] of untilOf) {
      if (until * 1000 >= now()) return;
      untilOf.delete(id);
    }
  };
  return ({ id, until }) => {
    forget();
    if (untilOf.has(id)) return false;
    if (untilOf.size >= capacity) throw new RangeError(`${capacity} proofs are good at once`);
    untilOf.set(id, until);
    return true;
  };
};
