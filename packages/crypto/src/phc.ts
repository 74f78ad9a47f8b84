/** argon2id's parameters: memory in KiB, passes over it, lanes. */
export type Argon2Cost = { readonly memory: number; readonly passes: number; readonly parallelism: number };

export type PasswordHash = Argon2Cost & { readonly salt: Buffer; readonly hash: Buffer };

/** A stored password hash that this code cannot verify: not argon2id version 19 in PHC form, or its parameters are out of bounds. */
export class UnsupportedPasswordHash extends Error {
  override readonly name = 'UnsupportedPasswordHash';
}

// An imported hash may cost more than ours, but must not let one sign-in take a process's memory or seconds of its time.
const bounds = { memory: 262_144, passes: 12, parallelism: 16, salt: [8, 64], hash: [16, 64] } as const;

const form = /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d{0,2}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]{2,100})\$([A-Za-z0-9+/]{2,100})$/;

const encodeBase64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const decodeBase64 = (text: string, [least, most]: readonly [number, number]): Buffer | null => {
  const bytes = Buffer.from(text, 'base64');
  return encodeBase64(bytes) === text && bytes.byteLength >= least && bytes.byteLength <= most ? bytes : null;
};

/** The PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export const formatPhc = (parts: PasswordHash): string =>
  `$argon2id$v=19$m=${parts.memory},t=${parts.passes},p=${parts.parallelism}$${encodeBase64(parts.salt)}$${encodeBase64(parts.hash)}`;

/** @throws UnsupportedPasswordHash for anything but argon2id within bounds. */
export const parsePhc = (phc: string): PasswordHash => {
  const [, memory, passes, parallelism, salt = '', hash = ''] = form.exec(phc) ?? [];
  const parts = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  const decoded = { salt: decodeBase64(salt, bounds.salt), hash: decodeBase64(hash, bounds.hash) };
  if (decoded.salt === null || decoded.hash === null) throw new UnsupportedPasswordHash('not an argon2id hash in PHC form');
  if (
    parts.memory > bounds.memory ||
    parts.passes > bounds.passes ||
    parts.parallelism > bounds.parallelism ||
    // RFC 9106 §3.1: every lane has at least eight blocks.
    parts.memory < 8 * parts.parallelism
  ) {
    throw new UnsupportedPasswordHash('the parameters of the password hash are out of bounds');
  }
  return { ...parts, salt: decoded.salt, hash: decoded.hash };
};
