import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '../deliveries/database.ts';
import type { DeliveryState } from '../deliveries/delivery.ts';
import type { EndpointRoute } from '../deliveries/endpoint-routes.ts';

/** A message that an endpoint may hear by its scope, whatever types it wants. */
export type HeardMessage = {
  readonly id: string;
  readonly position: number;
  readonly ordinal: number;
  readonly subject: StreamId;
  readonly type: string;
  /** How it stands with its delivery to the endpoint; null where it never was to be delivered. */
  readonly state: DeliveryState | null;
  /** Whether it is about somebody whom the endpoint's receiver wants to hear no more of. */
  readonly isUnwanted: boolean;
};

const after = '(w.position, w.ordinal) > ($3::bigint, $4::int) and w.position <= $5';

/** What there is to read for each width of a scope, in the order of the log, each by an index of its own. */
const scopes = {
  audience: `select w.id, w.position, w.ordinal from message_audience w where w.platform = $1 and w.audience = $6 and ${after}`,
  grants: `select w.id, w.position, w.ordinal from message w where w.platform = $1 and w.subject = any($6::uuid[]) and ${after}`,
  everybody: `select w.id, w.position, w.ordinal from message w where w.platform = $1 and $6::uuid is null and ${after}`,
} as const;

const scopeOf = ({
  session,
  grants,
  client,
}: Pick<EndpointRoute, 'session' | 'grants' | 'client'>): { readonly scope: keyof typeof scopes; readonly of: unknown } => {
  if (session !== null) return { scope: 'audience', of: session };
  if (grants !== null) return { scope: 'grants', of: grants };
  return client === null ? { scope: 'everybody', of: null } : { scope: 'audience', of: client };
};

/** The messages of a platform after one of them that an endpoint may hear, in the order in which they were told. */
export const readHeardMessages = async (
  client: Transaction,
  options: {
    readonly platform: PlatformId;
    readonly route: Pick<EndpointRoute, 'endpoint' | 'session' | 'grants' | 'client' | 'without'>;
    readonly after: { readonly position: number; readonly ordinal: number };
    /** The last position to look at. */
    readonly through: number;
    readonly limit: number;
  },
): Promise<readonly HeardMessage[]> => {
  const { platform, route, after: last, through, limit } = options;
  const { scope, of } = scopeOf(route);
  const { rows } = await client.query<HeardMessage>(
    `select w.id, w.position, w.ordinal, m.subject, m.type, coalesce(d.state, f.state) as state,
        cardinality($8::uuid[]) > 0 and coalesce(m.body::jsonb #>> '{data,accountId}' = any($8::uuid[]::text[]), false) as "isUnwanted"
      from (${scopes[scope]} order by w.position, w.ordinal limit $7) w
      cross join lateral (select subject, type, body from message where platform = $1 and id = w.id limit 1) m
      left join lateral (select state from delivery where platform = $1 and id = w.id and endpoint = $2 limit 1) d on true
      left join lateral (select state from delivery_done where platform = $1 and id = w.id and endpoint = $2 limit 1) f on true
      order by w.position, w.ordinal`,
    [platform, route.endpoint, last.position, last.ordinal, through, of, limit, route.without],
  );
  return rows;
};
