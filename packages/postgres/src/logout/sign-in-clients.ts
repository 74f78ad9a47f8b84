import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from '../deliveries/database.ts';

/** An app that got an ID token in a sign-in. */
export type SignInClient = {
  readonly signIn: StreamId;
  readonly client: StreamId;
  readonly account: StreamId;
  /** Position of the sign-in's first event. */
  readonly firstPosition: number;
  readonly secondFactor: boolean;
  /** Milliseconds since the epoch. */
  readonly seenAt: number;
};

/** Notes which apps sign-ins led to. One that is known already is seen again. No two of one call may be the same. */
export const noteSignInClients = async (
  client: Transaction,
  { platform, seen }: { readonly platform: PlatformId; readonly seen: readonly SignInClient[] },
): Promise<void> => {
  if (seen.length === 0) return;
  await client.query({
    name: 'grantlog.note-sign-in-clients',
    text: `insert into sign_in_client (platform, sign_in, client, account, first_position, second_factor, seen_at)
      select $1, r.sign_in, r.client, r.account, r.first_position, r.second_factor, to_timestamp(r.seen_ms / 1000)
      from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bool[], $7::float8[])
        as r(sign_in, client, account, first_position, second_factor, seen_ms)
      on conflict (platform, sign_in, client) do update set seen_at = greatest(sign_in_client.seen_at, excluded.seen_at)`,
    values: [
      platform,
      seen.map(({ signIn }) => signIn),
      seen.map((each) => each.client),
      seen.map(({ account }) => account),
      seen.map(({ firstPosition }) => firstPosition),
      seen.map(({ secondFactor }) => secondFactor),
      seen.map(({ seenAt }) => seenAt),
    ],
  });
};

/** Forgets apps that were allowed nothing for so many days in a sign-in that nobody ended. Returns how many. */
export const deleteOldSignInClients = async (pool: Database, keepDays: number): Promise<number> => {
  const { rowCount } = await pool.query('delete from sign_in_client where seen_at < now() - make_interval(days => $1::int)', [keepDays]);
  return rowCount ?? 0;
};
