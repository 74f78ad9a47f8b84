import { createHash, createHmac, randomBytes } from 'node:crypto';
import { assembleUuid, uuidToBytes } from './uuid.ts';

const timestampHead = (ms: number): Uint8Array => {
  if (!(ms >= 0 && ms < 2 ** 48)) throw new RangeError(`a UUIDv7 cannot hold the time ${ms}`);
  const head = Buffer.allocUnsafe(6);
  head.writeUIntBE(Math.floor(ms), 0, 6);
  return head;
};

const standingHead = (kindCode: number): Uint8Array => {
  if (!Number.isInteger(kindCode) || kindCode < 0 || kindCode > 0xffff) throw new RangeError(`kind code ${kindCode} is not a uint16`);
  const head = Buffer.alloc(6);
  head.writeUInt16BE(kindCode, 4);
  return head;
};

const hmac = (nameKey: Uint8Array, ...fields: readonly (string | Uint8Array)[]): Uint8Array => {
  if (nameKey.byteLength < 32) throw new RangeError('a name key has at least 32 bytes');
  const mac = createHmac('sha256', nameKey);
  for (const field of fields) mac.update(field);
  return mac.digest();
};

const zero = new Uint8Array(1);
const kindName = /^[a-z][a-z0-9_.-]*$/;

/**
 * A new UUIDv7: 48 bits of time, 74 random bits. Ids of one millisecond have no order among themselves.
 *
 * @param nowMs milliseconds since the epoch; a fraction is dropped.
 * @see RFC 9562 §5.7
 */
export const uuidv7 = (nowMs: number): string => assembleUuid({ head: timestampHead(nowMs), version: 7, tail: randomBytes(10) });

/**
 * A new id for a stream without end: UUIDv8 `00000000-KKKK-8…`, where `KKKK` is the kind code, and 74 random bits.
 * It sorts below every UUIDv7 made after the first minute of 1970, which keeps it out of the monthly partitions.
 *
 * @see RFC 9562 §5.8
 */
export const standingId = (kindCode: number): string => assembleUuid({ head: standingHead(kindCode), version: 8, tail: randomBytes(10) });

/**
 * The id of a stream that belongs to another one, which is a UUIDv7: the same time, its other bits a digest of purpose and
 * id. So both are found by the id of either's beginning, in one load.
 *
 * @throws RangeError when `id` is not a canonical UUID.
 */
export const relatedId = (id: string, purpose: string): string =>
  assembleUuid({
    head: uuidToBytes(id).subarray(0, 6),
    version: 7,
    tail: createHash('sha256').update(`grantlog ${purpose}\0${id}`).digest(),
  });

/**
 * The id of a standing stream that a unique name claims: the shape of {@link standingId}, its 74 bits an HMAC of kind and name.
 * The caller brings the name into its one canonical spelling first.
 *
 * @throws RangeError for a name key under 32 bytes or a kind code that is not a uint16.
 */
export const nameId = (claim: { readonly nameKey: Uint8Array; readonly kindCode: number; readonly name: string }): string => {
  const head = standingHead(claim.kindCode);
  return assembleUuid({ head, version: 8, tail: hmac(claim.nameKey, head.subarray(4), zero, claim.name) });
};

/**
 * The id of a stream that claims a name until it expires: UUIDv7 at the first millisecond of the expiry's month (UTC), its 74 other
 * bits an HMAC of kind and name. So the claim lies in a partition that goes no sooner than it expires.
 *
 * The same name expiring in another month has another id: the expiry must come from what is signed (an assertion's `exp`).
 *
 * @throws RangeError for a name key under 32 bytes, or a kind that is not of `[a-z][a-z0-9_.-]*`.
 */
export const expiringNameId = (claim: {
  readonly nameKey: Uint8Array;
  readonly kind: string;
  readonly name: string;
  readonly expiresAtMs: number;
}): string => {
  // Without this rule a NUL in the kind could shift the border between kind and name.
  if (!kindName.test(claim.kind)) throw new RangeError(`"${claim.kind}" is not a kind of claim`);
  const expiry = new Date(claim.expiresAtMs);
  const month = Date.UTC(expiry.getUTCFullYear(), expiry.getUTCMonth(), 1);
  return assembleUuid({ head: timestampHead(month), version: 7, tail: hmac(claim.nameKey, claim.kind, zero, claim.name) });
};
