import { sha256, uuidFromBytes } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';

/**
 * The id of what is told about one subject of one event, whoever hears it: a UUIDv7 of the event's time whose other bits are
 * a hash. The same event dispatched again gets the same ids, and in the same week's partition.
 */
export const messageId = (of: {
  readonly platform: PlatformId;
  readonly position: number;
  readonly recordedAt: number;
  readonly subject: StreamId;
}): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.floor(of.recordedAt), 0, 6);
  bytes.set(sha256(['grantlog message', of.platform, of.position, of.subject].join('\n')).subarray(0, 10), 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return uuidFromBytes(bytes);
};
