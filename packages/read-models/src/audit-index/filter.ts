import type { Actor, CommitId, StreamId } from '@grantlog/eventsourcing';
import { spellInstant } from './instant.ts';

/** What entries are asked for; all of it has to hold. Left out: whatever it is. */
export type AuditFilter = {
  readonly account?: StreamId;
  readonly client?: StreamId;
  readonly grant?: StreamId;
  readonly session?: StreamId;
  /** The stream that the event stands in. */
  readonly stream?: StreamId;
  readonly actor?: { readonly kind?: Actor['kind']; readonly id: string };
  /** Any of these: types (`grant.revoked`), or all of an aggregate (`grant.*`). */
  readonly types?: readonly string[];
  /** As `traceOf` of the projection gives it. */
  readonly trace?: string;
  readonly commit?: CommitId;
  /** The commit that led to them. */
  readonly cause?: CommitId;
  /** The keyed hash of an address, as the platform's names have it. */
  readonly ip?: Uint8Array;
  /** Positions, both inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Times by the entries' clock, both inclusive; milliseconds since the epoch, within the years 0 to 9999. */
  readonly since?: number;
  readonly until?: number;
};

const everything = '.*';

/** A filter as the functions of migration 0028 take it: by the names of the columns. Positions go beside it. */
export const spellFilter = (filter: AuditFilter): string => {
  const { types, since, until } = filter;
  return JSON.stringify({
    account: filter.account,
    client: filter.client,
    grant: filter.grant,
    session: filter.session,
    stream_id: filter.stream,
    actor_kind: filter.actor?.kind,
    actor_id: filter.actor?.id,
    types: types === undefined ? undefined : [...new Set(types.filter((type) => !type.endsWith(everything)))],
    kinds: types?.filter((type) => type.endsWith(everything)).map((type) => type.slice(0, -everything.length)),
    trace: filter.trace,
    commit_id: filter.commit,
    cause_id: filter.cause,
    ip: filter.ip?.toHex(),
    since: since === undefined ? undefined : spellInstant(since),
    until: until === undefined ? undefined : spellInstant(until),
  });
};

/** The positions that a filter leaves, both inclusive. */
export const rangeOf = ({ from = 0, to = Number.MAX_SAFE_INTEGER }: AuditFilter): { readonly low: number; readonly high: number } => ({
  low: from,
  high: to,
});
