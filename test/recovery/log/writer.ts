import { randomUUID } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { createSealer } from '@grantlog/crypto';
import type { Commit, CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { RejectedByDatabase } from '@grantlog/eventsourcing';
import { appendBatch, createPool, createPostgresEventLog } from '@grantlog/postgres';
import type { JournalLine } from './journal.ts';
import { createRandom } from './random.ts';

// A process that appends at random until it is told to stop or is killed, and writes down what it means to do before it
// does it, and what it was told before it goes on.

export type WriterOptions = {
  readonly url: string;
  readonly platform: PlatformId;
  readonly journal: string;
  readonly seed: number;
  readonly streams: readonly StreamId[];
  readonly callers: number;
};

const options = JSON.parse(process.argv[2] ?? '{}') as WriterOptions;
const { platform, streams } = options;
const random = createRandom(options.seed);
const pool = createPool({ connectionString: options.url, role: 'grantlog_api', max: 4, onError: () => {} });
const log = createPostgresEventLog({ pool, foldVersion: 1, sealer: createSealer(['a secret of the test run, which is long enough']) });

const file = openSync(options.journal, 'a');
const journal = (line: JournalLine): void => void writeSync(file, `${JSON.stringify(line)}\n`);

let stopping = false;
process.on('SIGTERM', () => {
  stopping = true;
});

/** `isAhead`: it expects a version that was not there when it was planned, and may be by the time it is asked about once more. */
const planCommit = async (): Promise<{ readonly commit: Commit; readonly isAhead: boolean }> => {
  const chosen = random.sample(streams, 1 + random.below(5));
  const written = chosen.slice(0, 1 + random.below(3));
  const loaded = await log.load(
    platform,
    chosen.map((streamId) => ({ streamId })),
  );
  // Now and then a version that is long past, or that nobody has seen yet.
  const skew = random.below(8) === 0 ? random.below(3) - 1 : 0;
  const expectedOf = (streamId: StreamId): number => Math.max(0, loaded.stream(streamId).version + (streamId === chosen[0] ? skew : 0));
  const bad = random.below(50) === 0;
  const commit: Commit = {
    commitId: randomUUID() as CommitId,
    writes: written.map((streamId) => ({
      streamId,
      expected: expectedOf(streamId),
      events: Array.from({ length: 1 + random.below(3) }, (_, by) => ({ type: 'counter.increased', data: bad ? { text: '\0' } : { by } })),
    })),
    reads: chosen.slice(written.length).map((streamId) => ({ streamId, expected: expectedOf(streamId) })),
    actor: { kind: 'system', id: 'crowd' },
    correlationId: String(options.seed),
  };
  return { commit, isAhead: skew > 0 };
};

const intend = (commit: Commit): void =>
  journal({
    kind: 'intent',
    commit: commit.commitId,
    writes: commit.writes.map(({ streamId, expected, events }) => ({ stream: streamId, expected, events: events.length })),
    reads: commit.reads.map(({ streamId, expected }) => ({ stream: streamId, expected })),
  });

let ready = false;
const call = async (): Promise<void> => {
  while (!stopping) {
    let planned: Awaited<ReturnType<typeof planCommit>>;
    try {
      planned = await planCommit();
    } catch {
      // The log could not be read; nothing was meant yet.
      continue;
    }
    const { commit, isAhead } = planned;
    intend(commit);
    const answer = async (asking: () => Promise<{ outcome: 'appended' | 'conflict'; position?: number } | undefined>): Promise<void> => {
      try {
        const result = await asking();
        if (result === undefined) return;
        journal({ kind: 'answer', commit: commit.commitId, outcome: result.outcome, position: result.position ?? null });
        if (!ready) process.stdout.write('ready\n');
        ready = true;
      } catch (error) {
        const outcome = error instanceof RejectedByDatabase ? 'refused' : 'unknown';
        journal({ kind: 'answer', commit: commit.commitId, outcome, position: null });
      }
    };
    await answer(() => log.append(platform, commit));
    // Asked again, long after or at once, it is answered the same; but what came too early may have its time by then.
    if (random.below(10) === 0 && !isAhead) await answer(async () => (await appendBatch(pool, platform, [commit]))[0]);
  }
};

await Promise.all(Array.from({ length: options.callers }, call));
log.stop();
await pool.end();
