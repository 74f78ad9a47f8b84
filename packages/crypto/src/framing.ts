/**
 * Joins a domain label and fields so that no two different lists give the same bytes: each is preceded by its length in four bytes.
 *
 * A MAC or associated data over plainly joined text would be the same for `("ab", "c")` and `("a", "bc")`.
 */
export const frame = (label: string, ...fields: readonly (string | Uint8Array)[]): Buffer => {
  const parts = [label, ...fields].map((field) => (typeof field === 'string' ? Buffer.from(field, 'utf8') : field));
  const framed = Buffer.allocUnsafe(parts.reduce((total, part) => total + 4 + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    offset = framed.writeUInt32BE(part.byteLength, offset);
    framed.set(part, offset);
    offset += part.byteLength;
  }
  return framed;
};
