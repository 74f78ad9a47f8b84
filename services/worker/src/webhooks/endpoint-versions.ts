import { platformStream } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { type Database, type EndpointKey, readVersions } from '@grantlog/postgres';
import { batched } from '../batched.ts';

/** What the log has of an endpoint and of its platform: while neither changes, nothing about the endpoint does. */
export type EndpointVersion = { readonly endpoint: number; readonly platform: number };

export const isSameVersion = (one: EndpointVersion | null, other: EndpointVersion): boolean =>
  one?.endpoint === other.endpoint && one.platform === other.platform;

/** Asks the log for versions, those of many endpoints at once. */
export const createEndpointVersions = (pool: Database): ((key: EndpointKey) => Promise<EndpointVersion>) => {
  const versionOf = batched({
    limit: 256,
    call: (streams: readonly { readonly platform: PlatformId; readonly streamId: StreamId }[]) => readVersions(pool, streams),
  });
  return async ({ platform, endpoint: streamId }) => {
    const [endpoint, ofPlatform] = await Promise.all([
      versionOf({ platform, streamId }),
      versionOf({ platform, streamId: platformStream }),
    ]);
    return { endpoint, platform: ofPlatform };
  };
};
