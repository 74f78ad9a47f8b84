/** @throws TypeError that names the option which is no whole number above 0. */
export const requireWhole = (named: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(named))
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`${name} must be a whole number above 0`);
};
