/** What somebody keeps in one place, and opens to agents by itself. */
export type Safe = { readonly safeId: string; readonly name: string; readonly notes: readonly string[] };

export type Safes = {
  /** Null where there is none, or it is not active any more. */
  readonly find: (safeId: string) => Safe | null;
  readonly add: (safeId: string, note: string) => void;
};

const kept: readonly Safe[] = [
  { safeId: 'safe_home', name: 'Home', notes: ['The boiler was serviced in March.', 'The spare key is with the neighbours at number 12.'] },
  { safeId: 'safe_work', name: 'Work', notes: ['The quarterly review is on the second Tuesday.', 'The badge number is 4711.'] },
  { safeId: 'safe_family', name: 'Family', notes: ['Grandmother likes to be called on Sundays.'] },
];

/** The Safes of the example, as they are when the process starts; what is added lives as long as it. Who may see which is not kept here. */
export const createSafes = (): Safes => {
  const safes = new Map(kept.map((safe) => [safe.safeId, safe]));
  return {
    find: (safeId) => safes.get(safeId) ?? null,
    add: (safeId, note) => {
      const safe = safes.get(safeId);
      if (safe !== undefined) safes.set(safeId, { ...safe, notes: [...safe.notes, note] });
    },
  };
};
