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
  /** Null: every type. */
  readonly types: readonly string[] | null;
};

/**
 * The routes of a platform that belong to no session and that another fold version has not made obsolete, and all those
 * that it has. Sessions come and go by the million, and strangers begin them: theirs are read session by session.
 */
export const readRoutes = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly foldVersion: number },
): Promise<{ readonly routes: readonly EndpointRoute[]; readonly outdated: readonly StreamId[] }> => {
  const { rows } = await client.query<EndpointRoute & { readonly current: boolean }>({
    name: 'grantlog.read-routes',
    text: `select endpoint, version, status, client, session, types, fold_version = $2 as current from endpoint_route
      where platform = $1 and ((session is null and status = 'active') or fold_version <> $2)`,
    values: [options.platform, options.foldVersion],
  });
  return {
    routes: rows.filter((row) => row.current).map(({ current: _, ...route }) => route),
    outdated: rows.filter((row) => !row.current).map((row) => row.endpoint),
  };
};

/** The active routes of these sessions that another fold version has not made obsolete. */
export const readSessionRoutes = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly foldVersion: number; readonly sessions: readonly StreamId[] },
): Promise<readonly EndpointRoute[]> => {
  const { rows } = await client.query<EndpointRoute>({
    name: 'grantlog.read-session-routes',
    text: `select endpoint, version, status, client, session, types from endpoint_route
      where platform = $1 and session = any($3::uuid[]) and status = 'active' and fold_version = $2`,
    values: [options.platform, options.foldVersion, options.sessions],
  });
  return rows;
};

export const upsertRoute = async (
  client: Transaction,
  options: { readonly platform: PlatformId; readonly foldVersion: number; readonly route: EndpointRoute },
): Promise<void> => {
  const { platform, foldVersion, route } = options;
  await client.query({
    name: 'grantlog.upsert-route',
    text: `insert into endpoint_route (platform, endpoint, fold_version, version, status, client, session, types)
      values ($1, $2, $3, $4, $5, $6, $7, $8::text[])
      on conflict (platform, endpoint) do update set fold_version = excluded.fold_version, version = excluded.version,
        status = excluded.status, client = excluded.client, session = excluded.session, types = excluded.types`,
    values: [platform, route.endpoint, foldVersion, route.version, route.status, route.client, route.session, route.types],
  });
};
