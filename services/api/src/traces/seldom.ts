const remembered = 5_000;

/** Says whether something is new: not seen in the last `quietMs`, as far as the last few thousand things are remembered. */
export const createSeldom = (quietMs: number): ((what: string, now: number) => boolean) => {
  const seen = new Map<string, number>();
  return (what, now) => {
    const last = seen.get(what);
    if (last !== undefined && now - last < quietMs) return false;
    if (seen.size >= remembered) seen.clear();
    seen.set(what, now);
    return true;
  };
};
