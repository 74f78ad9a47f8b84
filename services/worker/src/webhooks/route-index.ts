import { wants } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import type { EndpointRoute } from '@grantlog/postgres';

/** Whom an endpoint listens to: a session, a grant, a client, or everybody. */
type Heard = StreamId | 'everybody';

/** Active routes by whom they hear. */
export type RouteIndex = {
  readonly place: (route: EndpointRoute) => void;
  readonly remove: (endpoint: StreamId) => void;
  readonly of: (endpoint: StreamId) => EndpointRoute | null;
  readonly all: () => Iterable<EndpointRoute>;
  /** Each route once that hears one of these and wants this type. */
  readonly hearing: (type: string, heard: Iterable<Heard>) => readonly EndpointRoute[];
};

/** One of a session hears no other's, one of some grants no others, and one of a client no other client's. */
const heardBy = ({ session, grants, client }: EndpointRoute): readonly Heard[] => {
  if (session !== null) return [session];
  return grants ?? [client ?? 'everybody'];
};

export const createRouteIndex = (routes: Iterable<EndpointRoute>): RouteIndex => {
  const byEndpoint = new Map<StreamId, EndpointRoute>();
  const listeners = new Map<Heard, Set<StreamId>>();
  const remove = (endpoint: StreamId): void => {
    const route = byEndpoint.get(endpoint);
    if (route === undefined) return;
    byEndpoint.delete(endpoint);
    for (const heard of heardBy(route)) listeners.get(heard)?.delete(endpoint);
  };
  const place = (route: EndpointRoute): void => {
    remove(route.endpoint);
    byEndpoint.set(route.endpoint, route);
    for (const heard of heardBy(route)) listeners.set(heard, (listeners.get(heard) ?? new Set()).add(route.endpoint));
  };
  for (const route of routes) place(route);
  return {
    place,
    remove,
    of: (endpoint) => byEndpoint.get(endpoint) ?? null,
    all: () => byEndpoint.values(),
    hearing: (type, heard) => {
      const found = new Set<EndpointRoute>();
      for (const name of heard) {
        for (const endpoint of listeners.get(name) ?? []) {
          const route = byEndpoint.get(endpoint);
          if (route !== undefined && wants(route.types, type)) found.add(route);
        }
      }
      return [...found];
    },
  };
};
