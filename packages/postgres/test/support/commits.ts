import { randomUUID } from 'node:crypto';
import { standingId, uuidv7 } from '@grantlog/crypto';
import type { Appended, AppendResult, Commit, CommitId, NewEvent, StreamId } from '@grantlog/eventsourcing';

type Write = Commit['writes'][number];

/** A stream of this month. */
export const newStream = (): StreamId => uuidv7(Date.now()) as StreamId;

/** A stream without end. */
export const newStandingStream = (): StreamId => standingId(0x00ff) as StreamId;

export const write = (streamId: StreamId, expected: number, events: number | readonly NewEvent[] = 1): Write => ({
  streamId,
  expected,
  events: typeof events === 'number' ? Array.from({ length: events }, (_, by) => ({ type: 'counter.increased', data: { by } })) : events,
});

/** A commit of these writes; everything else has a default. */
export const commitOf = (writes: readonly Write[], rest: Partial<Omit<Commit, 'writes'>> = {}): Commit => ({
  commitId: randomUUID() as CommitId,
  writes,
  reads: [],
  actor: { kind: 'system', id: 'test' },
  correlationId: 'test',
  ...rest,
});

/** The answer, of which the test says that it is an append. */
export const appended = (result: AppendResult | undefined): Appended => {
  if (result?.outcome !== 'appended') throw new Error(`expected an append, got ${result?.outcome ?? 'nothing'}`);
  return result;
};
