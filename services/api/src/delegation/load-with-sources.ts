import { type GrantId, sourcesOf } from '@grantlog/domain';
import type { EventLog, Loaded, LoadRequest, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { foldGrant } from '../platforms/load-parties.ts';

/** The tokens' grants that these grants stand on, with whatever those name; none for grants that stand on no other. */
export const sourceRequests = (loaded: Loaded, grants: readonly StreamId[]): readonly LoadRequest[] => {
  const sources = grants.flatMap((id): readonly GrantId[] => {
    const grant = foldGrant(loaded, id);
    return grant.status === 'none' || grant.status === 'denied' ? [] : sourcesOf(grant.terms);
  });
  return [...new Set(sources)].map((streamId) => ({ streamId, follow: true }));
};

/**
 * A load that also has what the given grants stand on (RFC 8693): which that is, only their first events say. Everything is
 * of one instant, so a grant without sources costs one round trip and one with them two.
 */
export const loadWithSources = async (
  log: Pick<EventLog, 'load'>,
  platform: PlatformId,
  of: { readonly requests: readonly LoadRequest[]; readonly grants: readonly StreamId[] },
): Promise<Loaded> => {
  const loaded = await log.load(platform, of.requests);
  const sources = sourceRequests(loaded, of.grants);
  return sources.length === 0 ? loaded : log.load(platform, [...of.requests, ...sources]);
};
