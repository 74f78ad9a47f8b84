import type { Database } from './database.ts';
import { aboutOf, afterPosition, type Feed, type FeedPlace, readerOf } from './feed.ts';

/** Where a reader says that it is. */
export type FeedCursor =
  | { readonly kind: 'oldest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'message'; readonly id: string }
  /** `lineage` as {@link FoundPlace} gives it; null where the position comes from a message. */
  | { readonly kind: 'position'; readonly position: number; readonly lineage: string | null };

export type FoundPlace = {
  /** The log that positions are of, shortened: after a restore with loss it is another. */
  readonly lineage: string;
} & (
  | { readonly kind: 'found'; readonly place: FeedPlace }
  /** Nobody can say what came after the cursor. `oldest`: the first position of which everything is kept; null where nothing is. */
  | { readonly kind: 'gone'; readonly oldest: number | null }
);

type Row = {
  readonly lineage: string;
  readonly head: number;
  readonly told: number;
  readonly keptSince: Date;
  readonly oldest: number | null;
  readonly position: number | null;
  readonly ordinal: number | null;
  readonly recordedAt: Date | null;
  readonly nextAt: Date | null;
};

const placeOf = (cursor: FeedCursor, row: Row): FeedPlace | null => {
  const { lineage, head, told, keptSince, oldest, position, ordinal, recordedAt, nextAt } = row;
  switch (cursor.kind) {
    case 'latest':
      return afterPosition(told);
    case 'oldest':
      return afterPosition(oldest === null ? told : oldest - 1);
    case 'message':
      return position === null || ordinal === null || recordedAt === null || recordedAt < keptSince
        ? null
        : { position, ordinal, id: cursor.id };
    case 'position':
      // A log that was restored from before it has positions anew, or none so high.
      if (cursor.position > head || (cursor.lineage !== null && cursor.lineage !== lineage)) return null;
      // What comes next is kept where it happened late enough.
      return nextAt === null || nextAt >= keptSince ? afterPosition(cursor.position) : null;
  }
};

/** The place of a cursor in a feed; null for a platform that has no log. A message of another feed is none. */
export const findFeedPlace = async (pool: Database, feed: Feed, cursor: FeedCursor): Promise<FoundPlace | null> => {
  const { platform, audience } = feed;
  const { rows } = await pool.query<Row>({
    name: 'grantlog.find-feed-place',
    text: `select left(replace(b.lineage::text, '-', ''), 8) as lineage, b.head, b.told, b.kept_since as "keptSince", b.oldest,
        m.position, m.ordinal, m.recorded_at as "recordedAt", e.recorded_at as "nextAt"
      from feed_bounds($1) b
      left join lateral (
        select m.position, m.ordinal, m.recorded_at from message m
        where m.platform = $1 and m.id = $2 and ($4::uuid is null or m.subject = $4) and ($3::uuid is null or exists (
          select from message_audience a
          where a.platform = $1 and a.audience = $3 and a.position = m.position and a.ordinal = m.ordinal and a.id = m.id))
      ) m on true
      left join event e on e.platform = $1 and e.position = $5::bigint + 1`,
    values: [
      platform,
      cursor.kind === 'message' ? cursor.id : null,
      readerOf(audience),
      aboutOf(audience),
      cursor.kind === 'position' ? cursor.position : null,
    ],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const place = placeOf(cursor, row);
  const { lineage, oldest } = row;
  return place === null ? { kind: 'gone', lineage, oldest } : { kind: 'found', lineage, place };
};
