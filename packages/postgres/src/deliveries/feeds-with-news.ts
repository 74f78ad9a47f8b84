import type { Database } from './database.ts';
import { aboutOf, type Feed, type FeedPlace, readerOf } from './feed.ts';

/** Which of many feeds have something after their places, by index: one question for everybody who waits. */
export const feedsWithNews = async (
  pool: Database,
  feeds: readonly (Feed & { readonly after: FeedPlace })[],
): Promise<readonly number[]> => {
  if (feeds.length === 0) return [];
  const { rows } = await pool.query<{ index: number }>({
    name: 'grantlog.feeds-with-news',
    text: `select (w.place - 1)::int as index
      from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::int[], $6::uuid[])
        with ordinality as w(platform, reader, about, position, ordinal, id, place)
      cross join lateral (select from read_feed(w.platform, w.reader, w.about, w.position, w.ordinal, w.id, 1)) news`,
    values: [
      feeds.map(({ platform }) => platform),
      feeds.map(({ audience }) => readerOf(audience)),
      feeds.map(({ audience }) => aboutOf(audience)),
      feeds.map(({ after }) => after.position),
      feeds.map(({ after }) => after.ordinal),
      feeds.map(({ after }) => after.id),
    ],
  });
  return rows.map(({ index }) => index);
};
