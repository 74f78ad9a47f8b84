import type { EventLog, Loaded, PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { loadBatch, type RawStream, streamKey } from './load-batch.ts';

/** A moment of one platform's log: what stands up to `position`, at `now` by the log's own clock, milliseconds since the epoch. */
export type Moment = { readonly platform: PlatformId; readonly position: number; readonly now: number };

/**
 * The log as it was: loads give what stood at a moment and nothing later, so whatever folds and judges the present by a load
 * judges the past by the same code. Streams are read from their first event, as a snapshot may be of later. Data keys are those of
 * today: what was erased since stays unreadable.
 *
 * @throws Error for a load of another platform than the moment's
 */
export const logAsOf = (pool: pg.Pool, moment: Moment): Pick<EventLog, 'load'> => {
  // What stood then does not change: nothing is read twice.
  const known = new Map<string, RawStream>();
  const isRead = new Set<string>();
  return {
    load: async (platform, requests) => {
      if (platform !== moment.platform) throw new Error(`a moment of ${moment.platform} is none of ${platform}`);
      const asked = requests
        .map(({ streamId, follow = false, withSecrets = false }) => ({ platform, streamId, follow, withSecrets }))
        .filter((request) => !isRead.has(JSON.stringify(request)));
      const { streams } = asked.length === 0 ? { streams: [] } : await loadBatch(pool, asked, { foldVersion: 0, useSnapshots: false });
      for (const [key, raw] of streams) {
        // A stream that another one names comes without its secrets, and may be here with them.
        if (raw.dataKey !== null || raw.credentials.length > 0 || !known.has(key)) known.set(key, raw);
      }
      for (const request of asked) isRead.add(JSON.stringify(request));
      return {
        now: moment.now,
        stream: (id) => {
          const raw = known.get(streamKey(platform, id));
          if (raw === undefined) throw new Error(`stream ${id} was not loaded`);
          const events = raw.events.filter(({ position }) => position <= moment.position);
          const { credentials, dataKey } = raw;
          return { streamId: id, version: events.at(-1)?.version ?? 0, snapshot: null, events, credentials, dataKey };
        },
      } satisfies Loaded;
    },
  };
};
