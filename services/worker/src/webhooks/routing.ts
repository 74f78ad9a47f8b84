import { foldVersion, type WebhookEndpointEvent, type WebhookEndpointState, webhookEndpointDecider } from '@grantlog/domain';
import type { Placed, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { type EndpointRoute, readRoutes, readSessionRoutes, readStream, type Transaction, upsertRoute } from '@grantlog/postgres';

const routeOf = (endpoint: StreamId, version: number, state: WebhookEndpointState): EndpointRoute | null => {
  switch (state.status) {
    case 'none':
      return null;
    case 'deleted':
      return { endpoint, version, status: 'deleted', client: null, session: null, types: null };
    case 'active':
    case 'disabled':
      return { endpoint, version, status: state.status, client: state.client, session: state.session, types: state.types };
  }
};

/** Folds an endpoint as it was at a position and stores its route. Endpoints' streams are short. */
const refold = async (
  client: Transaction,
  at: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly position: number },
): Promise<EndpointRoute | null> => {
  const events = (await readStream(client, { platform: at.platform, streamId: at.endpoint })).filter(
    ({ position }) => position <= at.position,
  );
  // Only deciders of webhook endpoints record events in such a stream.
  const state = events.reduce(
    (folded, event) => webhookEndpointDecider.evolve(folded, event as unknown as Placed<WebhookEndpointEvent>),
    webhookEndpointDecider.initial,
  );
  const route = routeOf(at.endpoint, events.length, state);
  if (route !== null) await upsertRoute(client, { platform: at.platform, foldVersion, route });
  return route;
};

/** Whom an event concerns. */
export type Concerned = { readonly clients: ReadonlySet<StreamId>; readonly sessions: ReadonlySet<StreamId> };

/** The endpoints that the dispatcher speaks to, kept as of the event that it has reached. */
export type Routes = {
  /** Active endpoints that want a type of event about these clients and these sessions. One of a session hears no other's. */
  readonly hearing: (type: string, about: Concerned) => Promise<readonly StreamId[]>;
  /** Reads the routes of sessions that many events are about, at once; of others they are read when they are asked for. */
  readonly openSessions: (sessions: Iterable<StreamId>) => Promise<void>;
  /** The session of an active endpoint; null where it belongs to none, or is not spoken to. */
  readonly sessionOf: (endpoint: StreamId) => StreamId | null;
  /** Takes in a change of an endpoint, at its event's position. */
  readonly change: (endpoint: StreamId, position: number) => Promise<void>;
};

/** Opens the routes of a platform as they stand before `position`. */
export const openRoutes = async (
  client: Transaction,
  at: { readonly platform: PlatformId; readonly position: number },
): Promise<Routes> => {
  const { platform } = at;
  const stored = await readRoutes(client, { platform, foldVersion });
  const active = new Map<StreamId, EndpointRoute>();
  const ofSessions = new Map<StreamId, Set<StreamId>>();
  const ofNone = new Set<StreamId>();
  const place = (route: EndpointRoute): void => {
    active.set(route.endpoint, route);
    if (route.session === null) ofNone.add(route.endpoint);
    else ofSessions.set(route.session, (ofSessions.get(route.session) ?? new Set()).add(route.endpoint));
  };
  stored.routes.forEach(place);
  const change = async (endpoint: StreamId, position: number): Promise<void> => {
    const route = await refold(client, { platform, endpoint, position });
    if (route?.status === 'active') place(route);
    else active.delete(endpoint);
  };
  for (const endpoint of stored.outdated) await change(endpoint, at.position - 1);
  const opened = new Set<StreamId>();
  const openSessions = async (sessions: Iterable<StreamId>): Promise<void> => {
    const unread = [...new Set(sessions)].filter((session) => !opened.has(session));
    if (unread.length === 0) return;
    // Every change up to here is stored already, so what is read is as of the event that is being told.
    for (const route of await readSessionRoutes(client, { platform, foldVersion, sessions: unread })) place(route);
    for (const session of unread) opened.add(session);
  };
  return {
    openSessions,
    hearing: async (type, { clients, sessions }) => {
      await openSessions(sessions);
      const named = [...ofNone, ...[...sessions].flatMap((session) => [...(ofSessions.get(session) ?? [])])];
      return named
        .flatMap((endpoint) => active.get(endpoint) ?? [])
        .filter((route) => route.session !== null || route.client === null || clients.has(route.client))
        .filter((route) => route.types === null || route.types.includes(type))
        .map(({ endpoint }) => endpoint);
    },
    sessionOf: (endpoint) => active.get(endpoint)?.session ?? null,
    change,
  };
};
