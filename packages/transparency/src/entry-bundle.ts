/** Bytes that an entry of a bundle has at most: its length is two bytes. */
export const longestEntry = 0xffff;

/**
 * Entries as a bundle of a tiled log: each behind its length, two bytes, the greater first.
 *
 * @throws RangeError for an entry of more than 65,535 bytes.
 * @see https://c2sp.org/tlog-tiles
 */
export const writeEntryBundle = (entries: readonly Uint8Array[]): Uint8Array => {
  const bundle = Buffer.allocUnsafe(entries.reduce((length, entry) => length + 2 + entry.byteLength, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.byteLength > longestEntry) throw new RangeError(`an entry of ${entry.byteLength} bytes fits in no bundle`);
    at = bundle.writeUInt16BE(entry.byteLength, at);
    bundle.set(entry, at);
    at += entry.byteLength;
  }
  return bundle;
};

/** The entries of a bundle, or null when its lengths do not add up. */
export const readEntryBundle = (bundle: Uint8Array): readonly Uint8Array[] | null => {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.byteLength; ) {
    const begin = at + 2;
    if (begin > bundle.byteLength) return null;
    const end = begin + view.getUint16(at);
    if (end > bundle.byteLength) return null;
    entries.push(bundle.subarray(begin, end));
    at = end;
  }
  return entries;
};
