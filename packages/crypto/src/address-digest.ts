import { createHmac } from 'node:crypto';
import { frame } from './framing.ts';

/**
 * A keyed hash of an address, by which equal ones are found and none is read: HMAC-SHA-256 under a key of its own that follows from
 * the platform's name key, cut to 16 bytes. The caller brings the address into its one canonical spelling first.
 *
 * @throws RangeError for a name key under 32 bytes.
 */
export const addressDigest = (of: { readonly nameKey: Uint8Array; readonly address: string }): Uint8Array => {
  if (of.nameKey.byteLength < 32) throw new RangeError('a name key has at least 32 bytes');
  // Names are hashed under the name key itself; with another key no name can ever have an address's digest.
  const key = createHmac('sha256', of.nameKey).update(frame('grantlog address v1')).digest();
  return createHmac('sha256', key).update(of.address).digest().subarray(0, 16);
};
