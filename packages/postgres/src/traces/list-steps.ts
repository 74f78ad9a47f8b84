import type { PlatformId } from '@grantlog/eventsourcing';
import type { Pool } from 'pg';
import type { ConnectionStepName, KeptConnectionStep } from './connection-step.ts';

type Row = {
  readonly id: string;
  readonly at: Date;
  readonly step: ConnectionStepName;
  readonly error: string | null;
  readonly detail: string | null;
  readonly attempt: string | null;
  readonly request: string;
  readonly client: string | null;
  readonly grant_id: string | null;
  readonly visitor: Buffer;
  readonly program: string | null;
};

const columns = 's.id, s.at, s.step, s.error, s.detail, s.attempt, s.request, s.client, s.grant_id, s.visitor, s.program';

const stepOf = (row: Row): KeptConnectionStep => ({
  id: Number(row.id),
  at: row.at.getTime(),
  step: row.step,
  refusal: row.error === null ? null : { error: row.error, detail: row.detail ?? '' },
  attempt: row.attempt,
  request: row.request,
  client: row.client,
  grant: row.grant_id,
  visitor: row.visitor.toString('hex'),
  program: row.program,
});

/** Which attempts a list is to have; null for any. */
export type ConnectionFilter = {
  readonly platform: PlatformId;
  readonly client: string | null;
  readonly grant: string | null;
  /** Only what began below this step id; null from the newest on. */
  readonly before: number | null;
  readonly limit: number;
};

/**
 * The steps with which attempts began, newest first: an authorization request; a registration; a token request that was
 * refused and belongs to nothing else.
 */
export const listConnectionBeginnings = async (pool: Pool, filter: ConnectionFilter): Promise<readonly KeptConnectionStep[]> => {
  const { rows } = await pool.query<Row>({
    name: 'grantlog.list-connection-beginnings',
    text: `select ${columns} from connection_step s
      where s.platform = $1 and s.id < coalesce($4, 9223372036854775807)
        and (s.step in ('registration', 'authorize') or (s.step = 'token' and s.error is not null and s.grant_id is null))
        and ($2::text is null or s.client = $2)
        and ($3::uuid is null or s.attempt = any(select c.attempt from connection_step c where c.platform = $1 and c.grant_id = $3))
      order by s.id desc limit $5`,
    values: [filter.platform, filter.client, filter.grant, filter.before, filter.limit],
  });
  return rows.map(stepOf);
};

/**
 * Everything that may belong to these beginnings: of the same attempts, grants and clients, and what the same places looked up shortly
 * before. What a client does over and over takes no other attempt's room: of a grant its first and its last steps, of what a client
 * sent besides the latest.
 */
export const listConnectionSteps = async (
  pool: Pool,
  of: {
    readonly platform: PlatformId;
    readonly attempts: readonly string[];
    readonly clients: readonly string[];
    /** From when to when a look at the metadata, a registration or a push belongs to them; milliseconds since the epoch. */
    readonly from: number;
    readonly to: number;
  },
): Promise<readonly KeptConnectionStep[]> => {
  const { rows } = await pool.query<Row>({
    name: 'grantlog.list-connection-steps',
    text: `with own as materialized (
        select s.id, s.grant_id, s.visitor from connection_step s where s.platform = $1 and s.attempt = any($2::uuid[])
        union
        (select s.id, s.grant_id, s.visitor from connection_step s
        where s.platform = $1 and s.client = any($3::text[]) and s.step in ('registration', 'push')
          and s.at between to_timestamp($4 / 1000.0) and to_timestamp($5 / 1000.0)
        order by s.id desc limit 1000)
      ), granted as materialized (
        select g.id, g.visitor from (
          select s.id, s.visitor, row_number() over (partition by s.grant_id order by s.id) as nth,
            row_number() over (partition by s.grant_id order by s.id desc) as nth_last
          from connection_step s
          where s.platform = $1 and s.grant_id = any(select o.grant_id from own o where o.grant_id is not null)) g
        where g.nth <= 25 or g.nth_last <= 25
      ), looked as (
        select s.id from connection_step s
        where s.platform = $1 and s.step = 'discovery' and s.at between to_timestamp($4 / 1000.0) and to_timestamp($5 / 1000.0)
          and s.visitor in (select visitor from own union select visitor from granted)
        order by s.id desc limit 500
      )
      select ${columns} from connection_step s
      where s.platform = $1 and s.id in (select id from own union select id from granted union select id from looked)
      order by s.id limit 5000`,
    values: [of.platform, of.attempts, of.clients, of.from, of.to],
  });
  return rows.map(stepOf);
};
