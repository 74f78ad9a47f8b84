import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { Kysely, PostgresDialect } from 'kysely';

type ClientListTable = {
  readonly platform: PlatformId;
  readonly generation: number;
  readonly client: string;
  readonly version: number;
  readonly first_position: number;
  readonly position: number;
  readonly client_id: string;
  readonly name: string;
  readonly owner: string | null;
  readonly kind: string;
  readonly how: string;
  readonly status: string;
  readonly approval: string;
  readonly has_proposal: boolean;
  readonly proposed_name: string | null;
  readonly registered_at: Date;
  readonly used: boolean;
};

type ProjectionTable = { readonly name: string; readonly platform: PlatformId; readonly live_generation: number };

/** The tables that queries of this folder read. */
type ClientListTables = { readonly client_list: ClientListTable; readonly projection: ProjectionTable };

export const kyselyOn = (pool: Database): Kysely<ClientListTables> =>
  new Kysely<ClientListTables>({ dialect: new PostgresDialect({ pool }) });
