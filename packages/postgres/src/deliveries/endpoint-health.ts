import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database, Transaction } from './database.ts';

/** `closed`: send. `open`: do not. `probe`: the circuit was open; send one and see. */
export type Circuit = 'closed' | 'open' | 'probe';

/** Where an endpoint's circuit breaker stands, by the database's clock. */
export const readCircuit = async (
  pool: Database,
  endpoint: { readonly platform: PlatformId; readonly endpoint: StreamId },
): Promise<Circuit> => {
  const { rows } = await pool.query<{ circuit: Circuit }>({
    name: 'grantlog.circuit',
    text: `select case when open_until is null then 'closed' when open_until > now() then 'open' else 'probe' end as circuit
      from endpoint_health where platform = $1 and endpoint = $2`,
    values: [endpoint.platform, endpoint.endpoint],
  });
  return rows[0]?.circuit ?? 'closed';
};

/** Forgets how an endpoint answered: somebody enabled it again, so its five days start anew. */
export const resetHealth = async (
  client: Database | Transaction,
  endpoint: { readonly platform: PlatformId; readonly endpoint: StreamId },
): Promise<void> => {
  await client.query('delete from endpoint_health where platform = $1 and endpoint = $2', [endpoint.platform, endpoint.endpoint]);
};
