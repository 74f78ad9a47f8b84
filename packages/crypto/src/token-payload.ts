import { uuidFromBytes, uuidToBytes } from './uuid.ts';

/** What a token says of itself. Everything in it is readable by its bearer. */
export type TokenPayload = {
  /** The grant; for a registration access token its client, for a session or link token its session. */
  readonly streamId: string;
  /** The grant's sequence this token was minted at, 0 … 2³² − 1. */
  readonly sequence: number;
  /** Seconds since the epoch, below 2⁴⁰. */
  readonly expiresAt: number;
  /** Which of the platform's token keys made the MAC, 0 … 65,535. */
  readonly keyId: number;
  /** Indices into the grant's ordered scopes, ascending, each 0 … 63. */
  readonly scopes: readonly number[];
  /** Index of the token's resource among the grant's, 0 … 254, or null for none. */
  readonly resource: number | null;
};

const layoutVersion = 1;
const noResource = 255;

// version 1 · stream 16 · sequence 4 · expiry 5 · key 2 · scopes 8 · resource 1
export const payloadLength = 37;

const requireUint = (name: string, value: number, limit: number): void => {
  if (!Number.isSafeInteger(value) || value < 0 || value > limit) throw new RangeError(`token ${name} ${value} is not in 0..${limit}`);
};

const toMask = (scopes: readonly number[]): bigint => {
  let mask = 0n;
  for (const scope of scopes) {
    requireUint('scope', scope, 63);
    mask |= 1n << BigInt(scope);
  }
  return mask;
};

const fromMask = (mask: bigint): readonly number[] => {
  const scopes: number[] = [];
  for (let index = 0, rest = mask; rest !== 0n; index += 1, rest >>= 1n) {
    if ((rest & 1n) === 1n) scopes.push(index);
  }
  return scopes;
};

/** The payload's one binary spelling. @throws RangeError for a value that does not fit. */
export const encodePayload = (payload: TokenPayload): Buffer => {
  requireUint('sequence', payload.sequence, 0xffff_ffff);
  requireUint('expiry', payload.expiresAt, 2 ** 40 - 1);
  requireUint('key id', payload.keyId, 0xffff);
  if (payload.resource !== null) requireUint('resource', payload.resource, noResource - 1);
  const bytes = Buffer.allocUnsafe(payloadLength);
  bytes.writeUInt8(layoutVersion, 0);
  bytes.set(uuidToBytes(payload.streamId), 1);
  bytes.writeUInt32BE(payload.sequence, 17);
  bytes.writeUIntBE(payload.expiresAt, 21, 5);
  bytes.writeUInt16BE(payload.keyId, 26);
  bytes.writeBigUInt64BE(toMask(payload.scopes), 28);
  bytes.writeUInt8(payload.resource ?? noResource, 36);
  return bytes;
};

/** The payload of {@link payloadLength} bytes, or null when they are of a layout this code does not know. */
export const decodePayload = (bytes: Buffer): TokenPayload | null => {
  if (bytes.byteLength !== payloadLength || bytes.readUInt8(0) !== layoutVersion) return null;
  const resource = bytes.readUInt8(36);
  return {
    streamId: uuidFromBytes(bytes.subarray(1, 17)),
    sequence: bytes.readUInt32BE(17),
    expiresAt: bytes.readUIntBE(21, 5),
    keyId: bytes.readUInt16BE(26),
    scopes: fromMask(bytes.readBigUInt64BE(28)),
    resource: resource === noResource ? null : resource,
  };
};
