import type { StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '@grantlog/postgres';
import type { Target } from '../projection/projection.ts';
import type { AuditStream, NewEntry } from './entry.ts';
import type { Standing } from './fold-events.ts';
import { spellInstant } from './instant.ts';

type StandingRow = Omit<AuditStream, 'streamId'> & { readonly clock_ms: number | null; readonly stream_id: StreamId | null };

/** What a generation holds before a batch: the clock of its last entry, and these streams where it has them. */
export const readStanding = async (client: Transaction, target: Target, streams: readonly StreamId[]): Promise<Standing> => {
  const { rows } = await client.query<StandingRow>({
    name: 'grantlog.audit-standing',
    text: 'select * from audit_standing($1, $2, $3)',
    values: [target.platform, target.generation, streams],
  });
  return {
    clock: rows.find((row) => row.clock_ms !== null)?.clock_ms ?? Number.NEGATIVE_INFINITY,
    streams: new Map(
      rows.flatMap(({ stream_id: streamId, account, client: of, session, began, ended }) =>
        streamId === null ? [] : [[streamId, { streamId, account, client: of, session, began, ended }]],
      ),
    ),
  };
};

/** Writes the entries of a batch in one statement; one that stands already stays as it is. */
export const writeEntries = async (
  client: Transaction,
  target: Target,
  entries: readonly NewEntry[],
  addresses: ReadonlyMap<number, Uint8Array>,
): Promise<void> => {
  const rows = entries.map((entry) => ({
    ...entry,
    clock: spellInstant(entry.clock),
    actor: undefined,
    kind: entry.actor.kind,
    actorId: entry.actor.id,
    ip: addresses.get(entry.position)?.toHex(),
  }));
  await client.query({
    name: 'grantlog.audit-entries',
    text: `insert into audit_entry (platform, generation, position, clock, stream_id, version, type, account, client, session,
        actor_kind, actor_id, trace, commit_id, cause_id, ip)
      select $1, $2, r.position, r.clock, r."streamId", r.version, r.type, r.account, r.client, r.session,
        r.kind, r."actorId", r.trace, r."commitId", r."causeId", decode(r.ip, 'hex')
      from json_to_recordset($3::json) as r(position bigint, clock timestamptz, "streamId" uuid, version int, type text, account uuid,
        client uuid, session uuid, kind text, "actorId" text, trace text, "commitId" uuid, "causeId" uuid, ip text)
      on conflict do nothing`,
    values: [target.platform, target.generation, JSON.stringify(rows)],
  });
};

/** Writes whom streams concern now. */
export const writeStreams = async (client: Transaction, target: Target, streams: readonly AuditStream[]): Promise<void> => {
  if (streams.length === 0) return;
  await client.query({
    name: 'grantlog.audit-streams',
    text: `insert into audit_stream (platform, generation, stream_id, account, client, session, began, ended)
      select $1, $2, r."streamId", r.account, r.client, r.session, r.began, r.ended
      from json_to_recordset($3::json) as r("streamId" uuid, account uuid, client uuid, session uuid, began bigint, ended bigint)
      on conflict (platform, generation, stream_id) do update set account = excluded.account, client = excluded.client,
        session = excluded.session, began = excluded.began, ended = excluded.ended`,
    values: [target.platform, target.generation, JSON.stringify(streams)],
  });
};
