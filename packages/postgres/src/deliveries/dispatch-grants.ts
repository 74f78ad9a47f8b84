import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from './database.ts';

/** A grant that has not ended, as far as the dispatcher has come. */
export type LiveGrant = {
  readonly grantId: StreamId;
  readonly client: StreamId;
  /** The wire's `client_id`. */
  readonly clientId: string;
  readonly account: StreamId | null;
  readonly session: StreamId | null;
  /** The sign-in in which its person allowed it; null where there was none, or it is not known any more. */
  readonly signIn: StreamId | null;
  readonly firstPosition: number;
  readonly version: number;
  /** Milliseconds since the epoch; never later than the grant's end of use as last looked at. */
  readonly expiresAt: number;
};

const columns = `grant_id as "grantId", client, client_id as "clientId", account, session, sign_in as "signIn", first_position as "firstPosition", version,
  (extract(epoch from expires_at) * 1000)::float8 as "expiresAt"`;

export const findLiveGrants = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly grantIds: readonly StreamId[] },
): Promise<readonly LiveGrant[]> => {
  if (options.grantIds.length === 0) return [];
  const { rows } = await client.query<LiveGrant>({
    name: 'grantlog.find-live-grants',
    text: `select ${columns} from dispatch_grant where platform = $1 and grant_id = any($2::uuid[])`,
    values: [options.platform, options.grantIds],
  });
  return rows;
};

export const upsertLiveGrants = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly grants: readonly LiveGrant[] },
): Promise<void> => {
  const { platform, grants } = options;
  if (grants.length === 0) return;
  await client.query({
    name: 'grantlog.upsert-live-grants',
    text: `insert into dispatch_grant as g (platform, grant_id, client, client_id, account, session, first_position, version, expires_at, sign_in)
      select $1, r.grant_id, r.client, r.client_id, r.account, r.session, r.first_position, r.version, to_timestamp(r.expires_ms / 1000), r.sign_in
      from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::int[], $9::float8[], $10::uuid[])
        as r(grant_id, client, client_id, account, session, first_position, version, expires_ms, sign_in)
      on conflict (platform, grant_id) do update set version = excluded.version, expires_at = greatest(g.expires_at, excluded.expires_at)
      where g.version < excluded.version`,
    values: [
      platform,
      grants.map((grant) => grant.grantId),
      grants.map((grant) => grant.client),
      grants.map((grant) => grant.clientId),
      grants.map((grant) => grant.account),
      grants.map((grant) => grant.session),
      grants.map((grant) => grant.firstPosition),
      grants.map((grant) => grant.version),
      grants.map((grant) => grant.expiresAt),
      grants.map((grant) => grant.signIn),
    ],
  });
};

export const deleteLiveGrants = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly grantIds: readonly StreamId[] },
): Promise<void> => {
  if (options.grantIds.length === 0) return;
  await client.query({
    name: 'grantlog.delete-live-grants',
    text: 'delete from dispatch_grant where platform = $1 and grant_id = any($2::uuid[])',
    values: [options.platform, options.grantIds],
  });
};

/** Whose grants a mass revocation ends: those that began before it. */
export type Affected =
  | { readonly kind: 'client'; readonly client: StreamId; readonly before: number }
  | { readonly kind: 'account'; readonly account: StreamId; readonly before: number }
  | { readonly kind: 'platform'; readonly before: number };

const conditions = {
  client: 'client = $4',
  account: 'account = $4',
  platform: '$4::uuid is null',
} satisfies Record<Affected['kind'], string>;

const subjectOf = (affected: Affected): StreamId | null => {
  switch (affected.kind) {
    case 'client':
      return affected.client;
    case 'account':
      return affected.account;
    case 'platform':
      return null;
  }
};

/** Takes one chunk of the affected grants out of the table and returns it; empty when none is left. */
export const takeAffectedGrants = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly affected: Affected; readonly limit: number },
): Promise<readonly LiveGrant[]> => {
  const { rows } = await client.query<LiveGrant>({
    name: `grantlog.take-affected-${options.affected.kind}`,
    text: `delete from dispatch_grant where platform = $1 and grant_id = any(array(
        select grant_id from dispatch_grant where platform = $1 and first_position < $2 and ${conditions[options.affected.kind]} limit $3
      )) returning ${columns}`,
    values: [options.platform, options.affected.before, options.limit, subjectOf(options.affected)],
  });
  return rows;
};

/** The clients that hold a live grant of an account, of one sign-in where it is given, and the agents' sessions that such grants are of. */
export const concernedByAccount = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly account: StreamId; readonly signIn?: StreamId },
): Promise<{ readonly clients: ReadonlySet<StreamId>; readonly sessions: ReadonlySet<StreamId> }> => {
  const { rows } = await client.query<{ client: StreamId; session: StreamId | null }>({
    name: 'grantlog.concerned-by-account',
    text: 'select distinct client, session from dispatch_grant where platform = $1 and account = $2 and ($3::uuid is null or sign_in = $3)',
    values: [options.platform, options.account, options.signIn ?? null],
  });
  return {
    clients: new Set(rows.map((row) => row.client)),
    sessions: new Set(rows.flatMap((row) => (row.session === null ? [] : [row.session]))),
  };
};

export type DueGrant = { readonly platform: PlatformId; readonly grantId: StreamId };

/** Grants to look at: what was last known of them has run out. */
export const listGrantsToExpire = async (pool: Database, limit: number): Promise<readonly DueGrant[]> => {
  const { rows } = await pool.query<DueGrant>({
    name: 'grantlog.grants-to-expire',
    text: 'select platform, grant_id as "grantId" from dispatch_grant where expires_at <= now() order by expires_at limit $1',
    values: [limit],
  });
  return rows;
};

/** Notes until when a grant that was looked at can still be used. */
export const postponeExpiry = async (pool: Database, grant: DueGrant & { readonly expiresAt: number }): Promise<void> => {
  await pool.query({
    name: 'grantlog.postpone-expiry',
    text: 'update dispatch_grant set expires_at = to_timestamp($3::float8 / 1000) where platform = $1 and grant_id = $2',
    values: [grant.platform, grant.grantId, grant.expiresAt],
  });
};
