import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from './database.ts';

/** Which events an endpoint hears, as the dispatcher's checkpoint has it. */
export type EndpointRoute = {
  readonly endpoint: StreamId;
  /** The endpoint's stream version that this was folded from. */
  readonly version: number;
  readonly status: 'active' | 'disabled' | 'deleted';
  /** Null: the events of every client. */
  readonly client: StreamId | null;
  /** The sign-up session whose events alone it hears; null for an endpoint that belongs to none. */
  readonly session: StreamId | null;
  /** The grants whose events alone it hears; null for an endpoint that is not narrowed to some. */
  readonly grants: readonly StreamId[] | null;
  /** Null: every type. */
  readonly types: readonly string[] | null;
  /** Whether its URL is proved; what it hears until then is held. */
  readonly proven: boolean;
  /** Whether it wants the messages of a subject in order. */
  readonly ordered: boolean;
  /** Whether it wants nothing that a later message has made stale. */
  readonly supersedes: boolean;
  /** Whether its receiver comes and fetches; what it hears is held until it has. */
  readonly polled: boolean;
  /** Accounts of which it hears nothing. */
  readonly without: readonly StreamId[];
};

const columns = 'endpoint, version, status, client, session, grants, types, proven, ordered, supersedes, polled, without';

/** Counts the changes of a platform's routes that are neither of a session nor of some grants. */
export const readRoutesVersion = async (client: Transaction, platform: PlatformId): Promise<number> => {
  const { rows } = await client.query<{ version: number }>({
    name: 'grantlog.routes-version',
    text: 'select version from endpoint_routes_version where platform = $1',
    values: [platform],
  });
  return rows[0]?.version ?? 0;
};

/**
 * The routes of a platform that belong to no session and are narrowed to no grants, and that another fold version has not
 * made obsolete, and all those that it has. Sessions and grants come and go by the million, and strangers begin them: theirs
 * are read one by one.
 */
export const readRoutes = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly foldVersion: number },
): Promise<{ readonly routes: readonly EndpointRoute[]; readonly outdated: readonly StreamId[] }> => {
  const { rows } = await client.query<EndpointRoute & { readonly current: boolean }>({
    name: 'grantlog.read-routes',
    text: `select ${columns}, fold_version = $2 as current from endpoint_route
      where platform = $1 and ((session is null and grants is null and status = 'active') or fold_version <> $2)`,
    values: [options.platform, options.foldVersion],
  });
  return {
    routes: rows.filter((row) => row.current).map(({ current: _, ...route }) => route),
    outdated: rows.filter((row) => !row.current).map((row) => row.endpoint),
  };
};

/** The active routes of these sessions and of these grants that another fold version has not made obsolete. */
export const readNarrowRoutes = async (
  client: Transaction,
  options: {
    readonly platform: PlatformId;
    readonly foldVersion: number;
    readonly sessions: readonly StreamId[];
    readonly grants: readonly StreamId[];
  },
): Promise<readonly EndpointRoute[]> => {
  const { rows } = await client.query<EndpointRoute>({
    name: 'grantlog.read-narrow-routes',
    text: `select ${columns} from endpoint_route
      where platform = $1 and session = any($3::uuid[]) and status = 'active' and fold_version = $2
      union all
      select ${columns} from endpoint_route
      where platform = $1 and session is null and grants && $4::uuid[] and status = 'active' and fold_version = $2`,
    values: [options.platform, options.foldVersion, options.sessions, options.grants],
  });
  return rows;
};

/** The route of one endpoint, spoken to or not; null where the dispatcher knows of none. */
export const readRoute = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly endpoint: StreamId },
): Promise<EndpointRoute | null> => {
  const { rows } = await client.query<EndpointRoute>({
    name: 'grantlog.read-route',
    text: `select ${columns} from endpoint_route where platform = $1 and endpoint = $2`,
    values: [options.platform, options.endpoint],
  });
  return rows[0] ?? null;
};

/** Stores a route. Whose session or grants it is of never changes, and a deleted endpoint no longer says. */
export const upsertRoute = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly foldVersion: number; readonly route: EndpointRoute },
): Promise<void> => {
  const { platform, foldVersion, route } = options;
  await client.query({
    name: 'grantlog.upsert-route',
    text: `with route as (
        insert into endpoint_route (platform, endpoint, fold_version, version, status, client, session, types, grants, proven, ordered, supersedes, polled, without)
        values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9::uuid[], $10, $11, $12, $13, $14::uuid[])
        on conflict (platform, endpoint) do update set fold_version = excluded.fold_version, version = excluded.version,
          status = excluded.status, client = excluded.client, types = excluded.types,
          session = coalesce(excluded.session, endpoint_route.session), grants = coalesce(excluded.grants, endpoint_route.grants), proven = excluded.proven, ordered = excluded.ordered, supersedes = excluded.supersedes,
          polled = excluded.polled, without = excluded.without
      )
      insert into endpoint_routes_version as v (platform, version)
      select $1, 1 where $7::uuid is null and $9::uuid[] is null and not exists (
        select 1 from endpoint_route r where r.platform = $1 and r.endpoint = $2 and (r.session is not null or r.grants is not null))
      on conflict (platform) do update set version = v.version + 1`,
    values: [
      platform,
      route.endpoint,
      foldVersion,
      route.version,
      route.status,
      route.client,
      route.session,
      route.types,
      route.grants,
      route.proven,
      route.ordered,
      route.supersedes,
      route.polled,
      route.without,
    ],
  });
};
