import { randomInt } from 'node:crypto';

/** RFC 8628 §6.1: no vowels, so that no word comes out, and nothing that is read as something else. */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;

/** A new code for a person to type, like `WDJB-MJHT`: 34.5 random bits, to be guessed against a throttle only. */
export const createUserCode = (): string => {
  const letters = Array.from({ length }, () => alphabet[randomInt(alphabet.length)] ?? '').join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
};

// Before the case is changed: other letters would become two of these. Without the flag u no letter beyond ASCII matches.
const form = new RegExp(`^[${alphabet}]{${length}}$`, 'i');

/** The one spelling of what somebody typed (case, spaces and hyphens do not count), or null where it cannot be a code. */
export const canonicalUserCode = (typed: string): string | null => {
  const letters = typed.replaceAll(/[\s-]/g, '');
  if (!form.test(letters)) return null;
  const code = letters.toUpperCase();
  return `${code.slice(0, 4)}-${code.slice(4)}`;
};
