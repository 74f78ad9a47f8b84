/** What `look` finds once it is not null, asked every 50 ms for at most `seconds`. @throws Error naming what never came. */
export const eventually = async <Found>(what: string, look: () => Promise<Found | null>, seconds = 15): Promise<Found> => {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
