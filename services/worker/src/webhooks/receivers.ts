import type { EndpointKey } from '@grantlog/postgres';
import { type EndpointVersion, isSameVersion } from './endpoint-versions.ts';
import { openReceiver, type Receiver, type ReceiverReading } from './receiver.ts';

/** Endpoints kept in memory, as they were at the versions that the log has of them. */
const most = 10_000;

type Kept = { readonly version: EndpointVersion; readonly receiver: Receiver };

// Secrets that run out, keys that rotate and what can be erased have a life of their own.
const mayKeep = ({ secrets, bearers, platformKey, echo, signals }: Receiver): boolean =>
  signals === null && secrets.length === 1 && bearers.length <= 1 && platformKey === null && Object.keys(echo).length === 0;

/**
 * Opens endpoints as the log has them now: one that is known is asked for its version alone, and read and unsealed again when
 * that has changed. Null where it must not be spoken to.
 */
export const createReceivers = (
  reading: ReceiverReading & { readonly versionOf: (key: EndpointKey) => Promise<EndpointVersion> },
): ((key: EndpointKey) => Promise<Receiver | null>) => {
  const kept = new Map<string, Kept>();
  return async (endpoint) => {
    const key = `${endpoint.platform}/${endpoint.endpoint}`;
    const known = kept.get(key);
    const version = await reading.versionOf(endpoint);
    if (known !== undefined && isSameVersion(known.version, version)) return known.receiver;
    const receiver = await openReceiver(reading, endpoint);
    kept.delete(key);
    if (receiver === null || !mayKeep(receiver)) return receiver;
    const [oldest] = kept.keys();
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
    // The versions were read first: what was opened may be newer, never older, and then it is opened again.
    kept.set(key, { version, receiver });
    return receiver;
  };
};
