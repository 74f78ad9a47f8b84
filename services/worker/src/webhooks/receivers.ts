import { platformStream } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { type Database, type EndpointKey, readVersions } from '@grantlog/postgres';
import { batched } from '../batched.ts';
import { openReceiver, type Receiver, type ReceiverReading } from './receiver.ts';

/** Endpoints kept in memory, as they were at the versions that the log has of them. */
const most = 10_000;

type Kept = { readonly endpoint: number; readonly platform: number; readonly receiver: Receiver };

// Secrets that run out, keys that rotate and what can be erased have a life of their own.
const mayKeep = ({ secrets, bearers, platformKey, echo, signals }: Receiver): boolean =>
  signals === null && secrets.length === 1 && bearers.length <= 1 && platformKey === null && Object.keys(echo).length === 0;

/**
 * Opens endpoints as the log has them now: one that is known is asked for its version alone, and read and unsealed again when
 * that has changed. Null where it must not be spoken to.
 */
export const createReceivers = (
  reading: ReceiverReading & { readonly pool: Database },
): ((key: EndpointKey) => Promise<Receiver | null>) => {
  const kept = new Map<string, Kept>();
  const versionOf = batched({
    limit: 256,
    call: (streams: readonly { readonly platform: PlatformId; readonly streamId: StreamId }[]) => readVersions(reading.pool, streams),
  });
  return async ({ platform, endpoint: streamId }) => {
    const key = `${platform}/${streamId}`;
    const known = kept.get(key);
    const [endpoint, ofPlatform] = await Promise.all([
      versionOf({ platform, streamId }),
      versionOf({ platform, streamId: platformStream }),
    ]);
    if (known?.endpoint === endpoint && known.platform === ofPlatform) return known.receiver;
    const receiver = await openReceiver(reading, { platform, endpoint: streamId });
    kept.delete(key);
    if (receiver === null || !mayKeep(receiver)) return receiver;
    const [oldest] = kept.keys();
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
    // The versions were read first: what was opened may be newer, never older, and then it is opened again.
    kept.set(key, { endpoint, platform: ofPlatform, receiver });
    return receiver;
  };
};
