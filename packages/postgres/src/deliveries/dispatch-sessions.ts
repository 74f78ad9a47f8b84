import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from './database.ts';

/** A sign-up session that was neither redeemed nor ended, as far as the dispatcher has come. */
export type PendingSession = {
  readonly sessionId: StreamId;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
};

/** Notes the sessions of a batch that began, and forgets those that were redeemed or ended. */
export const trackSessions = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly begun: readonly PendingSession[]; readonly settled: readonly StreamId[] },
): Promise<void> => {
  const { platform, begun, settled } = options;
  if (begun.length > 0) {
    await client.query({
      name: 'grantlog.insert-pending-sessions',
      text: `insert into dispatch_session (platform, session_id, expires_at)
        select $1, r.session_id, to_timestamp(r.expires_ms / 1000) from unnest($2::uuid[], $3::float8[]) as r(session_id, expires_ms)
        on conflict do nothing`,
      values: [platform, begun.map(({ sessionId }) => sessionId), begun.map(({ expiresAt }) => expiresAt)],
    });
  }
  if (settled.length > 0) {
    await client.query({
      name: 'grantlog.delete-pending-sessions',
      text: 'delete from dispatch_session where platform = $1 and session_id = any($2::uuid[])',
      values: [platform, settled],
    });
  }
};

export type DueSession = { readonly platform: PlatformId; readonly sessionId: StreamId };

/** Sessions whose time is up by the database's clock. */
export const listSessionsToExpire = async (pool: Database, limit: number): Promise<readonly DueSession[]> => {
  const { rows } = await pool.query<DueSession>({
    name: 'grantlog.sessions-to-expire',
    text: 'select platform, session_id as "sessionId" from dispatch_session where expires_at <= now() order by expires_at limit $1',
    values: [limit],
  });
  return rows;
};

/** Says when to look at a session again. */
export const postponeSession = async (pool: Database, session: DueSession & { readonly expiresAt: number }): Promise<void> => {
  await pool.query({
    name: 'grantlog.postpone-session',
    text: 'update dispatch_session set expires_at = to_timestamp($3::float8 / 1000) where platform = $1 and session_id = $2',
    values: [session.platform, session.sessionId, session.expiresAt],
  });
};
