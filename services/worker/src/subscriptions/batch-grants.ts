import type { GrantEvent } from '@grantlog/domain';
import type { PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { deleteLiveGrants, findLiveGrants, type LiveGrant, readFirstEvents, type Transaction, upsertLiveGrants } from '@grantlog/postgres';
import { grantAfter } from './live-grant.ts';

const begunIn = (events: readonly RecordedEvent[]): readonly LiveGrant[] =>
  events.flatMap((event) => (event.type === 'grant.authorized' ? (grantAfter(null, event as RecordedEvent<GrantEvent>) ?? []) : []));

/** The grants that a batch is about, as they stand before each of its events. */
export const openGrants = async (client: Transaction, platform: PlatformId, events: readonly RecordedEvent[]) => {
  const named = [...new Set(events.filter(({ type }) => type.startsWith('grant.')).map(({ streamId }) => streamId))];
  const live = await findLiveGrants(client, { platform, grantIds: named });
  const known = new Map(live.map((grant) => [grant.grantId, grant]));
  const dirty = new Set<StreamId>();
  const ended = new Set<StreamId>();
  const begun = new Set(events.filter(({ version, type }) => version === 1 && type.startsWith('grant.')).map(({ streamId }) => streamId));
  // Ended by a mass revocation, and something was recorded of them since: the log still knows whose they are.
  const strangers = named.filter((id) => !known.has(id) && !begun.has(id));
  for (const first of (await readFirstEvents(client, { platform, streamIds: strangers })).values()) {
    const grant = grantAfter(null, { ...first, version: 1 } as unknown as RecordedEvent<GrantEvent>);
    if (grant === null) continue;
    known.set(first.streamId, grant);
    ended.add(first.streamId);
  }
  return {
    /** Sessions of the grants that were known before the batch, and of those that begin in it. */
    sessions: (): readonly StreamId[] => [...known.values(), ...begunIn(events)].flatMap(({ session }) => session ?? []),
    /** Takes an event in and returns the grant it is about, ended or not; null when nothing is known of it. */
    take: (event: RecordedEvent<GrantEvent>): LiveGrant | null => {
      const id = event.streamId;
      const grant = grantAfter(known.get(id) ?? null, event);
      if (grant === null) return null;
      known.set(id, grant);
      dirty.add(id);
      if (event.type === 'grant.revoked' || event.type === 'grant.expired' || event.type === 'grant.denied') ended.add(id);
      return grant;
    },
    forget: (id: StreamId): void => {
      dirty.delete(id);
      ended.add(id);
    },
    flush: async (): Promise<void> => {
      const touched = [...dirty];
      dirty.clear();
      await Promise.all([
        upsertLiveGrants(client, { platform, grants: touched.filter((id) => !ended.has(id)).flatMap((id) => known.get(id) ?? []) }),
        deleteLiveGrants(client, { platform, grantIds: touched.filter((id) => ended.has(id)) }),
      ]);
    },
  };
};
