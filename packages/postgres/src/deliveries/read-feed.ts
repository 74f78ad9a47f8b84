import type { Database } from './database.ts';
import { aboutOf, afterPosition, type Feed, type FeedPlace, ownTypes, readerOf } from './feed.ts';

/** A message as its webhook has it. */
export type FeedMessage = { readonly id: string; readonly type: string; readonly body: string };

export type FeedPage = {
  readonly messages: readonly FeedMessage[];
  /** Where to read on. */
  readonly next: FeedPlace;
  /** Whether there may be more already; a page can be empty and have more, where nothing that was looked at fitted. */
  readonly more: boolean;
};

/** Messages looked at for a page of certain types, so that a rare type costs no reader the whole feed at once. */
const lookedAt = 1_000;

type Row = {
  readonly told: number;
  readonly seen: number;
  readonly lastPosition: number | null;
  readonly lastOrdinal: number | null;
  readonly lastId: string | null;
  readonly position: number | null;
  readonly ordinal: number | null;
  readonly id: string | null;
  readonly type: string;
  readonly body: string;
};

/**
 * The messages of a feed after a place, in the order of the log.
 *
 * Reading on from the last one skips nothing. Messages come with the dispatcher's checkpoint, in one transaction; one
 * dispatcher at a time holds the checkpoint of a platform and takes the log in order. So whatever becomes visible later has a
 * higher position than everything that is visible now, and an event's messages are visible all or none. The checkpoint is read
 * at the same instant as the messages: at the end of the feed it is the place to go on from, and moves on for readers whom
 * nothing concerns, too.
 *
 * @param query.types of messages; `grant.*` is all that begin so, null is all.
 */
export const readFeed = async (
  pool: Database,
  query: Feed & { readonly after: FeedPlace; readonly types: readonly string[] | null; readonly limit: number },
): Promise<FeedPage> => {
  const { platform, audience, after, types, limit } = query;
  const most = types === null ? limit + 1 : Math.max(lookedAt, limit + 1);
  const { rows } = await pool.query<Row>({
    name: 'grantlog.read-feed',
    text: `with seen as materialized (
        select * from read_feed($1, $2, $3, $4, $5, $6, $7)
      ), last as (
        select * from seen order by r_position desc, r_ordinal desc, r_id desc limit 1
      ), found as (
        select * from seen
        where r_type <> all($8::text[]) and ($9::text[] is null or exists (
          select from unnest($9::text[]) as asked
          where asked = r_type or (right(asked, 2) = '.*' and starts_with(r_type, left(asked, -1)))))
        order by r_position, r_ordinal, r_id limit $10 + 1
      )
      select coalesce((select s.position from subscription s where s.name = 'dispatcher' and s.platform = $1), 0) as told,
        (select count(*)::int from seen) as seen, l.r_position as "lastPosition", l.r_ordinal as "lastOrdinal", l.r_id as "lastId",
        f.r_position as position, f.r_ordinal as ordinal, f.r_id as id, f.r_type as type, f.r_body as body
      from (values (1)) as once left join last l on true left join found f on true
      order by f.r_position, f.r_ordinal, f.r_id`,
    values: [platform, readerOf(audience), aboutOf(audience), after.position, after.ordinal, after.id, most, ownTypes, types, limit],
  });
  const [first] = rows;
  if (first === undefined) throw new Error('a feed query always answers');
  const found = rows.flatMap(({ position, ordinal, id, type, body }) =>
    position === null || ordinal === null || id === null ? [] : [{ place: { position, ordinal, id }, message: { id, type, body } }],
  );
  const page = found.slice(0, limit);
  const messages = page.map(({ message }) => message);
  const lastGiven = page.at(-1);
  if (found.length > limit && lastGiven !== undefined) return { messages, next: lastGiven.place, more: true };
  const { lastPosition, lastOrdinal, lastId, seen, told } = first;
  const lastSeen =
    lastPosition === null || lastOrdinal === null || lastId === null ? after : { position: lastPosition, ordinal: lastOrdinal, id: lastId };
  if (seen === most) return { messages, next: lastSeen, more: true };
  return { messages, next: told >= lastSeen.position ? afterPosition(told) : lastSeen, more: false };
};
