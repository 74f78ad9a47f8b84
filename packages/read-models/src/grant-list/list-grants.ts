import type { GrantFlow } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { sql } from 'kysely';
import { waitForPosition } from '../projection/wait-for-position.ts';
import { kyselyOn } from './database.ts';
import { grantList } from './projection.ts';
import type { GrantEnd, GrantListStatus } from './row.ts';

export type GrantListQuery = {
  readonly platform: PlatformId;
  readonly client?: StreamId;
  readonly account?: StreamId;
  readonly status?: GrantListStatus;
  /** Only grants by token exchange, which stand on others; or, false, only those that stand on none. Left out: both. */
  readonly delegated?: boolean;
  /** `next` of the page before. */
  readonly before?: number;
  /** 1 to 200; default 50. */
  readonly limit?: number;
  /** Wait (at most 500 ms) until the list contains this position of the log. */
  readonly minPosition?: number;
};

/** A grant in a list. Times are ISO instants. */
export type ListedGrant = {
  readonly grantId: StreamId;
  readonly flow: string;
  readonly client: StreamId;
  readonly clientId: string;
  readonly account: StreamId | null;
  readonly session: StreamId | null;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly context: string | null;
  readonly status: GrantListStatus;
  readonly reason: GrantEnd | 'expired' | 'by_account' | null;
  readonly tokenSequence: number;
  readonly firstPosition: number;
  readonly position: number;
  readonly authorizedAt: Date;
  readonly lastIssuedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly endedAt: Date | null;
};

export type GrantPage = {
  readonly grants: readonly ListedGrant[];
  /** Give it as `before` for the next page; null on the last. */
  readonly next: number | null;
  /** False when `minPosition` was not reached in time: the page may lack the caller's own last change. */
  readonly current: boolean;
};

const tokenExchange: GrantFlow = 'token_exchange';

/** The latest mass revocation that a grant began before, over its client, its account and the platform. */
const cutOff = sql<{ position: number }>`lateral (
  select c.kind, c.at, c.position from grant_list_cutoff c
  where c.platform = g.platform and c.generation = g.generation and c.position > g.first_position
    and (c.kind, c.subject) in (('client', g.client), ('account', g.account), ('platform', '00000000-0001-8000-8000-000000000000'::uuid))
  order by c.position limit 1)`;

const live = sql<boolean>`g.status in ('authorized', 'active') and x.position is not null`;
const status = sql<GrantListStatus>`case when ${live} then 'revoked' else g.status end`;

/**
 * One page of grants, newest first. Only for people: what a token may do is decided from the log.
 * A grant that a mass revocation ended reads as revoked, without its row having been touched.
 */
export const listGrants = async (pool: Database, query: GrantListQuery): Promise<GrantPage> => {
  const limit = Math.min(Math.max(query.limit ?? 50, 1), 200);
  const current =
    query.minPosition === undefined ||
    (await waitForPosition(pool, { name: grantList.name, platform: query.platform, minPosition: query.minPosition }));
  let page = kyselyOn(pool)
    .selectFrom('projection as p')
    .innerJoin('grant_list as g', (join) => join.onRef('g.platform', '=', 'p.platform').onRef('g.generation', '=', 'p.live_generation'))
    .leftJoin(cutOff.as('x'), (join) => join.onTrue())
    .select([
      sql<StreamId>`g.grant_id`.as('grantId'),
      'g.flow',
      sql<StreamId>`g.client`.as('client'),
      'g.client_id as clientId',
      sql<StreamId | null>`g.account`.as('account'),
      sql<StreamId | null>`g.session`.as('session'),
      'g.scopes',
      'g.resources',
      'g.context',
      status.as('status'),
      sql<ListedGrant['reason']>`case when ${live} then 'revoked_with_' || x.kind else g.reason end`.as('reason'),
      'g.token_sequence as tokenSequence',
      'g.first_position as firstPosition',
      sql<number>`case when ${live} then x.position else g.position end`.as('position'),
      'g.authorized_at as authorizedAt',
      'g.last_issued_at as lastIssuedAt',
      'g.expires_at as expiresAt',
      sql<Date | null>`case when ${live} then x.at else g.ended_at end`.as('endedAt'),
    ])
    .where('p.name', '=', grantList.name)
    .where('p.platform', '=', query.platform)
    .orderBy('g.first_position', 'desc')
    .limit(limit + 1);
  if (query.client !== undefined) page = page.where('g.client', '=', query.client);
  if (query.account !== undefined) page = page.where('g.account', '=', query.account);
  if (query.delegated !== undefined) page = page.where('g.flow', query.delegated ? '=' : '<>', tokenExchange);
  if (query.before !== undefined) page = page.where('g.first_position', '<', query.before);
  if (query.status !== undefined) page = page.where(status, '=', query.status);
  const found = await page.execute();
  const grants = found.slice(0, limit);
  return { grants, next: found.length > limit ? (grants.at(-1)?.firstPosition ?? null) : null, current };
};
