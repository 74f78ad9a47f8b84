/** A key as an operator names it: token keys by a number, signing keys by their `kid`. */
export type KeyName = { readonly use: 'token'; readonly keyId: number } | { readonly use: 'sign'; readonly keyId: string };

/** Reads a key's name from a path or an argument. A `kid` is 43 characters, so it is never a number of five digits. */
export const parseKeyName = (text: string): KeyName =>
  /^[1-9]\d{0,4}$/.test(text) ? { use: 'token', keyId: Number(text) } : { use: 'sign', keyId: text };
