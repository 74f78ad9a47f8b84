import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '../deliveries/database.ts';
import { monthOf } from './month.ts';

/** A file that events of a month were written to before they left the log. */
export type Archive = {
  readonly id: string;
  readonly platform: PlatformId;
  readonly lineage: string;
  /** As `2026-03`. */
  readonly month: string;
  /** Its name, without a folder. */
  readonly file: string;
  /** SHA-256 of the file, 32 bytes. */
  readonly digest: Uint8Array;
  readonly events: number;
  readonly streams: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  /** Leaves of the signed tree that the file proves its events to be in. */
  readonly treeSize: number;
};

export type KeptArchive = Archive & { readonly archivedAt: Date };

/** What was archived of a platform's log, the oldest month first; of one month where that is said. */
export const listArchives = async (
  pool: Database,
  of: { readonly platform: PlatformId; readonly month?: string },
): Promise<readonly KeptArchive[]> => {
  const { rows } = await pool.query<KeptArchive>({
    name: 'grantlog.archives',
    text: `select id, platform, lineage, month, file, digest, events, streams, first_position as "firstPosition",
        last_position as "lastPosition", tree_size as "treeSize", archived_at as "archivedAt"
      from archive where platform = $1 and month = coalesce($2, month) order by month, archived_at`,
    values: [of.platform, of.month ?? null],
  });
  return rows;
};

/** The archives that a stream may be in, which the log has no event of: those of the month in which it began. */
export const archivesOf = (
  pool: Database,
  of: { readonly platform: PlatformId; readonly streamId: StreamId },
): Promise<readonly KeptArchive[]> => {
  const month = monthOf(of.streamId);
  return month === null ? Promise.resolve([]) : listArchives(pool, { platform: of.platform, month });
};
