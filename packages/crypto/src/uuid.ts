const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a UUID in its canonical spelling: lower case, with hyphens. Any version. */
export const isUuid = (text: string): boolean => canonical.test(text);

/** The canonical spelling of 16 bytes. @throws RangeError for another number of bytes. */
export const uuidFromBytes = (bytes: Uint8Array): string => {
  if (bytes.byteLength !== 16) throw new RangeError('a UUID has 16 bytes');
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/**
 * The 16 bytes of a canonical UUID.
 *
 * @throws RangeError when the text is not one.
 */
export const uuidToBytes = (uuid: string): Uint8Array => {
  if (!isUuid(uuid)) throw new RangeError('not a canonical UUID');
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
};

/** A UUID of 6 leading bytes, a version, and the 74 bits that version and variant leave of 10 trailing bytes. */
export const assembleUuid = (parts: { readonly head: Uint8Array; readonly version: 7 | 8; readonly tail: Uint8Array }): string => {
  const bytes = Buffer.allocUnsafe(16);
  bytes.set(parts.head.subarray(0, 6), 0);
  bytes.set(parts.tail.subarray(0, 10), 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (parts.version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
};
