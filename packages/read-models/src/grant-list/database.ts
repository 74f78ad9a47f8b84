import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { Kysely, PostgresDialect } from 'kysely';

type GrantListTable = {
  readonly platform: PlatformId;
  readonly generation: number;
  readonly grant_id: string;
  readonly version: number;
  readonly first_position: number;
  readonly position: number;
  readonly flow: string;
  readonly client: string;
  readonly client_id: string;
  readonly account: string | null;
  readonly session: string | null;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly context: string | null;
  readonly status: string;
  readonly reason: string | null;
  readonly token_sequence: number;
  readonly authorized_at: Date;
  readonly last_issued_at: Date | null;
  readonly expires_at: Date | null;
  readonly ended_at: Date | null;
};

type CutoffTable = {
  readonly platform: PlatformId;
  readonly generation: number;
  readonly kind: 'client' | 'account' | 'platform';
  readonly subject: string;
  readonly position: number;
  readonly at: Date;
};

type ProjectionTable = { readonly name: string; readonly platform: PlatformId; readonly live_generation: number };

/** The tables that queries of this folder read. */
export type GrantListTables = {
  readonly grant_list: GrantListTable;
  readonly grant_list_cutoff: CutoffTable;
  readonly projection: ProjectionTable;
};

export const kyselyOn = (pool: Database): Kysely<GrantListTables> =>
  new Kysely<GrantListTables>({ dialect: new PostgresDialect({ pool }) });
