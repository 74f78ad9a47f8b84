/** A map that holds a bounded number of entries and lets go of the one that was not used for longest. */
export type RecentlyUsed<Value> = {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  readonly delete: (key: string) => void;
};

export const recentlyUsed = <Value>(maxEntries: number): RecentlyUsed<Value> => {
  // A Map iterates in the order of insertion: what is used is put behind all others.
  const entries = new Map<string, Value>();
  return {
    get: (key) => {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found;
    },
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= maxEntries) return;
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    },
    delete: (key) => void entries.delete(key),
  };
};
