import type { Transaction } from '@grantlog/postgres';
import type { Target } from '../projection/projection.ts';
import type { ClientRow } from './row.ts';

/** The rows of one generation for these clients, locked by the subscription's own claim. */
export const readRows = async (client: Transaction, target: Target, clients: readonly string[]): Promise<readonly ClientRow[]> => {
  if (clients.length === 0) return [];
  const { rows } = await client.query<{ row: ClientRow }>({
    name: 'grantlog.client-list-read',
    text: `select json_build_object(
        'client', client, 'version', version, 'firstPosition', first_position, 'position', position, 'clientId', client_id, 'name', name,
        'owner', owner, 'kind', kind, 'how', how, 'status', status, 'approval', approval,
        'hasProposal', has_proposal, 'proposedName', proposed_name, 'registeredAt', extract(epoch from registered_at) * 1000,
        'used', used
      ) as row from client_list where platform = $1 and generation = $2 and client = any($3::uuid[])`,
    values: [target.platform, target.generation, clients],
  });
  return rows.map(({ row }) => row);
};

/** Writes rows forward: one that is already further along stays. */
export const writeRows = async (client: Transaction, target: Target, rows: readonly ClientRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await client.query({
    name: 'grantlog.client-list-write',
    text: `insert into client_list as c (platform, generation, client, version, first_position, position, client_id, name, owner, kind, how,
        status, approval, has_proposal, proposed_name, registered_at, used)
      select $1, $2, (r ->> 'client')::uuid, (r ->> 'version')::int, (r ->> 'firstPosition')::bigint, (r ->> 'position')::bigint,
        r ->> 'clientId', r ->> 'name', (r ->> 'owner')::uuid, r ->> 'kind', r ->> 'how', r ->> 'status', r ->> 'approval',
        (r ->> 'hasProposal')::boolean, r ->> 'proposedName', to_timestamp((r ->> 'registeredAt')::float8 / 1000),
        (r ->> 'used')::boolean
      from jsonb_array_elements($3::jsonb) as r
      on conflict (platform, generation, client) do update set version = excluded.version, position = excluded.position,
        name = excluded.name, kind = excluded.kind, status = excluded.status, approval = excluded.approval, has_proposal = excluded.has_proposal,
        proposed_name = excluded.proposed_name, used = excluded.used
      where c.version < excluded.version`,
    values: [target.platform, target.generation, JSON.stringify(rows)],
  });
};
