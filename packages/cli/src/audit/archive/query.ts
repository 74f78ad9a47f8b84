import type { RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { type AuditFilter, foldEvents, type Standing } from '@grantlog/read-models';
import { parseTraceparent } from '@grantlog/runtime';

/** What a file is asked for: what the audit trail is, but addresses, whose hashes no file has. A client also by the id that grants name it by. */
export type ArchiveFilter = Omit<AuditFilter, 'ip' | 'client'> & { readonly client?: string };

const traceOf = (correlationId: string): string => parseTraceparent(correlationId)?.traceId ?? correlationId;

const isOfType = (type: string, types: readonly string[]): boolean =>
  types.some((wanted) => (wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted));

const within = (value: number, low: number | undefined, high: number | undefined): boolean =>
  (low === undefined || value >= low) && (high === undefined || value <= high);

/**
 * The events of a file that fit, with whom each concerns: by the very fold that the index is made by. Of each stream it keeps
 * whom it concerns, nothing else.
 */
export const matching = async function* <Event extends RecordedEvent>(
  events: AsyncIterable<Event>,
  filter: ArchiveFilter,
): AsyncGenerator<{ readonly event: Event; readonly account: StreamId | null; readonly session: StreamId | null }> {
  const streams = new Map<StreamId, Standing['streams'] extends ReadonlyMap<StreamId, infer Stream> ? Stream : never>();
  const clientIds = new Map<StreamId, string>();
  let clock = Number.NEGATIVE_INFINITY;
  for await (const event of events) {
    const folded = foldEvents({ clock, streams }, [event], traceOf);
    for (const stream of folded.streams) streams.set(stream.streamId, stream);
    const [entry] = folded.entries;
    if (entry === undefined) continue;
    clock = entry.clock;
    const { clientId }: { readonly clientId?: unknown } = event.data;
    if (typeof clientId === 'string') clientIds.set(event.streamId, clientId);
    const fits =
      (filter.account === undefined || entry.account === filter.account) &&
      (filter.client === undefined || entry.client === filter.client || clientIds.get(event.streamId) === filter.client) &&
      (filter.session === undefined || entry.session === filter.session) &&
      (filter.grant === undefined || event.streamId === filter.grant) &&
      (filter.stream === undefined || event.streamId === filter.stream) &&
      (filter.actor === undefined || event.actor.id === filter.actor.id) &&
      (filter.actor?.kind === undefined || event.actor.kind === filter.actor.kind) &&
      (filter.types === undefined || isOfType(event.type, filter.types)) &&
      (filter.trace === undefined || entry.trace === filter.trace) &&
      (filter.commit === undefined || event.commitId === filter.commit) &&
      within(event.position, filter.from, filter.to) &&
      within(entry.clock, filter.since, filter.until);
    if (fits) yield { event, account: entry.account, session: entry.session };
  }
};
