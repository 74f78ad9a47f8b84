import type { ClientKind, ClientOrigin } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { sql } from 'kysely';
import { waitForPosition } from '../projection/wait-for-position.ts';
import { kyselyOn } from './database.ts';
import { clientList } from './projection.ts';
import type { ClientListApproval, ClientListStatus } from './row.ts';

export type ClientListQuery = {
  readonly platform: PlatformId;
  readonly owner?: StreamId;
  readonly approval?: ClientListApproval;
  /** Without it, those that are not deleted. */
  readonly status?: ClientListStatus;
  /** Only those that wait for an operator: not approved yet, or approved with a change proposed. */
  readonly waiting?: boolean;
  /** `next` of the page before. */
  readonly before?: number;
  /** 1 to 200; default 50. */
  readonly limit?: number;
  /** Wait (at most 500 ms) until the list contains this position of the log. */
  readonly minPosition?: number;
};

/** A client in a list. */
export type ListedClient = {
  readonly client: StreamId;
  readonly clientId: string;
  readonly name: string;
  readonly owner: StreamId | null;
  readonly kind: ClientKind;
  readonly how: ClientOrigin;
  readonly status: ClientListStatus;
  readonly approval: ClientListApproval;
  readonly hasProposal: boolean;
  readonly proposedName: string | null;
  readonly firstPosition: number;
  /** Position of its latest event that the row contains. */
  readonly position: number;
  readonly registeredAt: Date;
};

export type ClientPage = {
  readonly clients: readonly ListedClient[];
  /** Give it as `before` for the next page; null on the last. */
  readonly next: number | null;
  /** False when `minPosition` was not reached in time: the page may lack the caller's own last change. */
  readonly current: boolean;
};

/** One page of clients, newest first. Only for people: what a client may do is decided from the log. */
export const listClients = async (pool: Database, query: ClientListQuery): Promise<ClientPage> => {
  const limit = Math.min(Math.max(query.limit ?? 50, 1), 200);
  const current =
    query.minPosition === undefined ||
    (await waitForPosition(pool, { name: clientList.name, platform: query.platform, minPosition: query.minPosition }));
  let page = kyselyOn(pool)
    .selectFrom('projection as p')
    .innerJoin('client_list as c', (join) => join.onRef('c.platform', '=', 'p.platform').onRef('c.generation', '=', 'p.live_generation'))
    .select([
      sql<StreamId>`c.client`.as('client'),
      'c.client_id as clientId',
      'c.name',
      sql<StreamId | null>`c.owner`.as('owner'),
      sql<ClientKind>`c.kind`.as('kind'),
      sql<ClientOrigin>`c.how`.as('how'),
      sql<ClientListStatus>`c.status`.as('status'),
      sql<ClientListApproval>`c.approval`.as('approval'),
      'c.has_proposal as hasProposal',
      'c.proposed_name as proposedName',
      'c.first_position as firstPosition',
      'c.position',
      'c.registered_at as registeredAt',
    ])
    .where('p.name', '=', clientList.name)
    .where('p.platform', '=', query.platform)
    .orderBy('c.first_position', 'desc')
    .limit(limit + 1);
  if (query.owner !== undefined) page = page.where('c.owner', '=', query.owner);
  if (query.approval !== undefined) page = page.where('c.approval', '=', query.approval);
  page = query.status === undefined ? page.where('c.status', '<>', 'deleted') : page.where('c.status', '=', query.status);
  if (query.waiting === true) page = page.where(sql<boolean>`(c.approval = 'pending' or c.has_proposal)`);
  if (query.before !== undefined) page = page.where('c.first_position', '<', query.before);
  const found = await page.execute();
  const clients = found.slice(0, limit);
  return { clients, next: found.length > limit ? (clients.at(-1)?.firstPosition ?? null) : null, current };
};
