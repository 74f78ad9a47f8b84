import { sha256, uuidFromBytes } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';

/**
 * The id of the delivery that tells one endpoint about one subject of one event: a UUIDv7 of the event's time whose
 * other bits are a hash. The same event dispatched again gets the same ids, and in the same week's partition.
 */
export const deliveryId = (of: {
  readonly platform: PlatformId;
  readonly position: number;
  readonly recordedAt: number;
  readonly subject: StreamId;
  readonly endpoint: StreamId;
}): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.floor(of.recordedAt), 0, 6);
  bytes.set(sha256(['grantlog delivery', of.platform, of.position, of.subject, of.endpoint].join('\n')).subarray(0, 10), 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
};
