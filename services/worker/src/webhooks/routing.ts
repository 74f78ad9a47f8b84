import { foldVersion, type WebhookEndpointEvent, type WebhookEndpointState, webhookEndpointDecider } from '@grantlog/domain';
import type { Placed, PlatformId, StreamId } from '@grantlog/eventsourcing';
import {
  type EndpointRoute,
  readNarrowRoutes,
  readRoutes,
  readRoutesVersion,
  readStream,
  type Transaction,
  upsertRoute,
} from '@grantlog/postgres';
import { createRouteIndex, type RouteIndex } from './route-index.ts';

const routeOf = (endpoint: StreamId, version: number, state: WebhookEndpointState): EndpointRoute | null => {
  switch (state.status) {
    case 'none':
      return null;
    case 'deleted': {
      const nobody = { client: null, session: null, grants: null, types: null, proven: false, ordered: false, supersedes: false };
      const silent = { polled: false, without: [] };
      return { endpoint, version, status: 'deleted', ...nobody, ...silent };
    }
    case 'active':
    case 'disabled': {
      const { status, client, session, grants, types, ordered, skipSuperseded: supersedes, without } = state;
      const polled = state.signals?.method === 'poll';
      const proven = state.verified && state.paused === null && !polled;
      return { endpoint, version, status, client, session, grants, types, proven, ordered, supersedes, polled, without };
    }
  }
};

/** An endpoint from one of its events on. */
type ChangedEndpoint = {
  readonly route: EndpointRoute;
  /** Whether it is a stream of security events. */
  readonly isStream: boolean;
};

/** Folds an endpoint as it was at a position and stores its route. Endpoints' streams are short. */
const refold = async (
  client: Transaction,
  at: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly position: number },
): Promise<ChangedEndpoint | null> => {
  const events = (await readStream(client, { platform: at.platform, streamId: at.endpoint })).filter(
    ({ position }) => position <= at.position,
  );
  // Only deciders of webhook endpoints record events in such a stream.
  const state = events.reduce(
    (folded, event) => webhookEndpointDecider.evolve(folded, event as unknown as Placed<WebhookEndpointEvent>),
    webhookEndpointDecider.initial,
  );
  const route = routeOf(at.endpoint, events.length, state);
  if (route === null) return null;
  await upsertRoute(client, { platform: at.platform, foldVersion, route });
  return { route, isStream: 'signals' in state && state.signals !== null };
};

/** Whom an event concerns. */
export type Concerned = {
  readonly clients: ReadonlySet<StreamId>;
  readonly sessions: ReadonlySet<StreamId>;
  readonly grant: StreamId | null;
};

/** The endpoints that the dispatcher speaks to, kept as of the event that it has reached. */
export type Routes = {
  /** Active endpoints that want a type of event about these. */
  readonly hearing: (type: string, about: Concerned) => Promise<readonly EndpointRoute[]>;
  /** Reads the routes of sessions and grants that many events are about, at once; others are read when they are asked for. */
  readonly prepare: (of: { readonly sessions: Iterable<StreamId>; readonly grants: Iterable<StreamId> }) => Promise<void>;
  /** An active endpoint; null where it is not spoken to. */
  readonly of: (endpoint: StreamId) => EndpointRoute | null;
  /** Takes in a change of an endpoint, at its event's position, and returns it as it is then; null where it never was. */
  readonly change: (endpoint: StreamId, position: number) => Promise<ChangedEndpoint | null>;
};

/** The routes that many batches share, by platform, as of a version of them. */
export type RoutesMemory = Map<PlatformId, { readonly version: number; readonly index: RouteIndex }>;

/** Opens the routes of a platform as they stand before `position`. */
export const openRoutes = async (
  client: Transaction,
  at: { readonly platform: PlatformId; readonly position: number; readonly memory: RoutesMemory },
): Promise<Routes> => {
  const { platform, memory } = at;
  const version = await readRoutesVersion(client, platform);
  const remembered = memory.get(platform);
  let index = remembered?.version === version ? remembered.index : null;
  const outdated: StreamId[] = [];
  if (index === null) {
    const stored = await readRoutes(client, { platform, foldVersion });
    index = createRouteIndex(stored.routes);
    outdated.push(...stored.outdated);
    if (outdated.length === 0) memory.set(platform, { version, index });
    else memory.delete(platform);
  }
  const shared: RouteIndex = index;
  /** What belongs to this batch alone: sessions' and grants' routes, and every change that may yet be rolled back. */
  const own = createRouteIndex([]);
  let changed: RouteIndex | null = null;
  const read = new Set<StreamId>();

  const change: Routes['change'] = async (endpoint, position) => {
    const refolded = await refold(client, { platform, endpoint, position });
    if (refolded === null) return null;
    const { route } = refolded;
    const isNarrow = route.session !== null || route.grants !== null || own.of(endpoint) !== null;
    if (!isNarrow && (route.status === 'active' || (changed ?? shared).of(endpoint) !== null)) changed ??= createRouteIndex(shared.all());
    const index = isNarrow ? own : (changed ?? shared);
    if (route.status === 'active') index.place(route);
    else index.remove(endpoint);
    return refolded;
  };
  for (const endpoint of outdated) await change(endpoint, at.position - 1);

  const prepare: Routes['prepare'] = async (of) => {
    const unread = (ids: Iterable<StreamId>) => [...new Set(ids)].filter((id) => !read.has(id));
    const [sessions, grants] = [unread(of.sessions), unread(of.grants)];
    if (sessions.length + grants.length === 0) return;
    // Every change up to here is stored already, so what is read is as of the event that is being told.
    for (const route of await readNarrowRoutes(client, { platform, foldVersion, sessions, grants })) own.place(route);
    for (const id of [...sessions, ...grants]) read.add(id);
  };
  return {
    prepare,
    hearing: async (type, { clients, sessions, grant }) => {
      const narrow = [...sessions, ...(grant === null ? [] : [grant])];
      await prepare({ sessions, grants: grant === null ? [] : [grant] });
      return [...(changed ?? shared).hearing(type, ['everybody', ...clients]), ...own.hearing(type, narrow)];
    },
    of: (endpoint) => own.of(endpoint) ?? (changed ?? shared).of(endpoint),
    change,
  };
};
