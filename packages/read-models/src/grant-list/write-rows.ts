import type { Transaction } from '@grantlog/postgres';
import type { Target } from '../projection/projection.ts';
import type { GrantListChange, GrantRow } from './row.ts';

/** The rows of one generation for these grants, locked by the subscription's own claim. */
export const readRows = async (client: Transaction, target: Target, grantIds: readonly string[]): Promise<readonly GrantRow[]> => {
  if (grantIds.length === 0) return [];
  const { rows } = await client.query<{ row: GrantRow }>({
    name: 'grantlog.grant-list-read',
    text: `select json_build_object(
        'grantId', grant_id, 'version', version, 'firstPosition', first_position, 'position', position, 'flow', flow,
        'client', client, 'clientId', client_id, 'account', account, 'session', session, 'scopes', scopes, 'resources', resources,
        'context', context, 'status', status, 'reason', reason, 'tokenSequence', token_sequence,
        'authorizedAt', extract(epoch from authorized_at) * 1000, 'lastIssuedAt', extract(epoch from last_issued_at) * 1000,
        'expiresAt', extract(epoch from expires_at) * 1000, 'endedAt', extract(epoch from ended_at) * 1000
      ) as row from unnest($3::uuid[]) as wanted(id)
      -- By the primary key alone: on a table without statistics equalities were answered by reading the whole generation.
      cross join lateral (
        select * from grant_list g where (g.platform, g.generation, g.grant_id) >= ($1, $2, wanted.id)
        order by g.platform, g.generation, g.grant_id limit 1
      ) g
      where g.platform = $1 and g.generation = $2 and g.grant_id = wanted.id`,
    values: [target.platform, target.generation, grantIds],
  });
  return rows.map(({ row }) => row);
};

/** Writes rows forward: one that is already further along stays. */
export const writeRows = async (client: Transaction, target: Target, rows: readonly GrantRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await client.query({
    name: 'grantlog.grant-list-write',
    text: `insert into grant_list as g (platform, generation, grant_id, version, first_position, position, flow, client, client_id, account, session,
        scopes, resources, context, status, reason, token_sequence, authorized_at, last_issued_at, expires_at, ended_at)
      select $1, $2, (r ->> 'grantId')::uuid, (r ->> 'version')::int, (r ->> 'firstPosition')::bigint, (r ->> 'position')::bigint, r ->> 'flow',
        (r ->> 'client')::uuid, r ->> 'clientId', (r ->> 'account')::uuid, (r ->> 'session')::uuid,
        array(select jsonb_array_elements_text(r -> 'scopes')), array(select jsonb_array_elements_text(r -> 'resources')),
        r ->> 'context', r ->> 'status', r ->> 'reason', (r ->> 'tokenSequence')::int,
        to_timestamp((r ->> 'authorizedAt')::float8 / 1000), to_timestamp((r ->> 'lastIssuedAt')::float8 / 1000),
        to_timestamp((r ->> 'expiresAt')::float8 / 1000), to_timestamp((r ->> 'endedAt')::float8 / 1000)
      from jsonb_array_elements($3::jsonb) as r
      on conflict (platform, generation, grant_id) do update set version = excluded.version, position = excluded.position,
        context = excluded.context, status = excluded.status, reason = excluded.reason, token_sequence = excluded.token_sequence,
        last_issued_at = excluded.last_issued_at, expires_at = excluded.expires_at, ended_at = excluded.ended_at
      where g.version < excluded.version`,
    values: [target.platform, target.generation, JSON.stringify(rows)],
  });
};

type CutOff = Extract<GrantListChange, { readonly kind: 'cut_off' }>;

/** Writes one cut-off, unless a later one stands. */
export const writeCutOff = async (client: Transaction, target: Target, change: CutOff): Promise<void> => {
  await client.query({
    name: 'grantlog.grant-list-cut-off',
    text: `insert into grant_list_cutoff as c (platform, generation, kind, subject, position, at)
      values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000))
      on conflict (platform, generation, kind, subject) do update set position = excluded.position, at = excluded.at
      where c.position < excluded.position`,
    values: [target.platform, target.generation, change.of, change.subject, change.position, change.at],
  });
};
