const form = /^(?:0|[1-9]\d{0,15})$/;

/** A whole number in decimal without leading zeros. Null for any other spelling, and above 2^53 - 1. */
export const parseDecimal = (text: string): number | null => {
  const value = Number(text);
  return form.test(text) && Number.isSafeInteger(value) ? value : null;
};
