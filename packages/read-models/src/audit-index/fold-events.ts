import type { CommitId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { type Concerned, concernOf, type Said } from './concerns.ts';
import type { AuditStream, NewEntry, SealedAddress } from './entry.ts';

/** What stood before a batch: the clock of the last entry, and the streams that the batch goes on with. */
export type Standing = { readonly clock: number; readonly streams: ReadonlyMap<StreamId, AuditStream> };

/** What a batch comes to: an entry for each event, and the streams that concern others than before. */
export type Folded = {
  readonly entries: readonly NewEntry[];
  readonly streams: readonly AuditStream[];
  readonly addresses: readonly SealedAddress[];
};

const nobody: Concerned = { account: null, client: null, session: null };

const grantEnds: ReadonlySet<string> = new Set(['grant.denied', 'grant.expired', 'grant.revoked']);

/** Streams that have to be read before their events can be folded: those that began before this batch and say so themselves. */
export const streamsNeeded = (events: readonly RecordedEvent[]): readonly StreamId[] => {
  const seen = new Set<StreamId>();
  const needed: StreamId[] = [];
  for (const { streamId, version, type } of events) {
    if (seen.has(streamId)) continue;
    seen.add(streamId);
    const concern = concernOf(type);
    const isOfStream = concern === 'its_stream' || typeof concern === 'function';
    if (version > 1 && isOfStream) needed.push(streamId);
  }
  return needed;
};

const isSame = (a: AuditStream, b: AuditStream): boolean =>
  a.account === b.account && a.client === b.client && a.session === b.session && a.began === b.began && a.ended === b.ended;

const nextOf = (before: AuditStream, said: Said, { type, position, version }: RecordedEvent): AuditStream => ({
  ...before,
  ...said.stream,
  began: version === 1 && type.startsWith('grant.') ? position : before.began,
  ended: before.ended ?? (grantEnds.has(type) ? position : null),
});

const commitIdForm = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** The column takes any text, and whoever wrote another one named no commit. */
const causeOf = ({ causationId }: RecordedEvent): CommitId | null =>
  causationId !== null && commitIdForm.test(causationId) ? (causationId as CommitId) : null;

/** Whom each event of a batch concerns, and when it happened by a clock that never steps back. */
export const foldEvents = (
  { clock: clockBefore, streams: standing }: Standing,
  events: readonly RecordedEvent[],
  traceOf: (correlationId: string) => string,
): Folded => {
  let clock = clockBefore;
  const entries: NewEntry[] = [];
  const addresses: SealedAddress[] = [];
  const streams = new Map<StreamId, AuditStream>();
  const concernedBy = (event: RecordedEvent): Concerned => {
    const { streamId, type } = event;
    const concern = concernOf(type);
    if (concern === 'nobody') return nobody;
    if (concern === 'account' || concern === 'client') return { ...nobody, [concern]: streamId };
    const said: Said = concern === 'its_stream' ? {} : concern(event);
    const before = streams.get(streamId) ?? standing.get(streamId) ?? { ...nobody, streamId, began: null, ended: null };
    const next = nextOf(before, said, event);
    if (!isSame(before, next)) streams.set(streamId, next);
    if (event.personal !== null && said.addressOf) addresses.push({ subject: said.addressOf, event });
    return { account: next.account, client: next.client, session: next.session, ...said.event };
  };
  for (const event of events) {
    clock = Math.max(clock, event.recordedAt);
    const { position, streamId, version, type, actor, commitId } = event;
    const known = { position, clock, streamId, version, type, actor, commitId };
    entries.push({ ...concernedBy(event), ...known, trace: traceOf(event.correlationId), causeId: causeOf(event) });
  }
  return { entries, streams: [...streams.values()], addresses };
};
