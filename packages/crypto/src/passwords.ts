import { argon2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { constantTimeEqualBytes } from './constant-time.ts';
import { type Argon2Cost, formatPhc, parsePhc } from './phc.ts';

export { UnsupportedPasswordHash } from './phc.ts';

/** A password that cannot be hashed: over 1,024 bytes of UTF-8, or with a lone surrogate. */
export class UnacceptablePassword extends Error {
  override readonly name = 'UnacceptablePassword';
}

const deriveArgon2 = promisify(argon2);

/** OWASP's first choice for argon2id; about 70 ms. */
const cost: Argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltLength = 16;
const hashLength = 32;
const maxBytes = 1024;

/** The bytes of a password as keyboards of every system send them, or null for one that cannot be hashed. */
const normalise = (password: string): Buffer | null => {
  // Lone surrogates would all become U+FFFD, so that two passwords would be one. The length comes first, because NFC of megabytes
  // is slow; no composition takes less than two bytes for three characters, so this refuses nothing that would fit.
  if (password.length > 2 * maxBytes || !password.isWellFormed()) return null;
  const bytes = Buffer.from(password.normalize('NFC'), 'utf8');
  return bytes.byteLength <= maxBytes ? bytes : null;
};

/** What is hashed in place of a password that cannot be: an answer without the work would tell that there is no work to do. */
const unhashable = Buffer.alloc(0);

const derive = (message: Buffer, salt: Buffer, tagLength: number, { memory, passes, parallelism }: Argon2Cost): Promise<Buffer> =>
  deriveArgon2('argon2id', { message, nonce: salt, tagLength, memory, passes, parallelism });

/**
 * Hashes a password with argon2id, off the event loop, as a PHC string. The password is brought to NFC first.
 *
 * @throws UnacceptablePassword for one over 1,024 bytes or not well-formed Unicode.
 * @see RFC 9106
 */
export const hashPassword = async (password: string): Promise<string> => {
  const message = normalise(password);
  if (message === null) throw new UnacceptablePassword('a password has at most 1,024 bytes of well-formed Unicode');
  const salt = randomBytes(saltLength);
  return formatPhc({ ...cost, salt, hash: await derive(message, salt, hashLength, cost) });
};

/**
 * Whether this is the password of a hash, at the cost that the hash itself names.
 *
 * A password that could never have been hashed is wrong, and costs the same.
 *
 * @throws UnsupportedPasswordHash when the stored hash is of another kind or beyond the bounds: a defect, not a wrong password.
 */
export const verifyPassword = async (phc: string, password: string): Promise<boolean> => {
  const expected = parsePhc(phc);
  const message = normalise(password);
  const hash = await derive(message ?? unhashable, expected.salt, expected.hash.byteLength, expected);
  return constantTimeEqualBytes(hash, expected.hash) && message !== null;
};

/**
 * Spends on a password what {@link verifyPassword} spends on a current hash, for an account that does not exist,
 * so that the time of an answer does not tell which names are registered. Always false.
 */
export const verifyAgainstNothing = async (password: string): Promise<false> => {
  await derive(normalise(password) ?? unhashable, randomBytes(saltLength), hashLength, cost);
  return false;
};

/** Whether a hash was made with other parameters than today's, and should be made anew at the next sign-in. */
export const needsRehash = (phc: string): boolean => {
  const { memory, passes, parallelism, salt, hash } = parsePhc(phc);
  return (
    memory !== cost.memory ||
    passes !== cost.passes ||
    parallelism !== cost.parallelism ||
    salt.byteLength !== saltLength ||
    hash.byteLength !== hashLength
  );
};
