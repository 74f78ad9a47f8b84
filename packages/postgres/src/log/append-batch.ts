import type { AppendResult, Commit, PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { queryNamingBlockers } from './blocker.ts';

/** Milliseconds; before `lock_timeout` of the function `append` (5 s) ends the wait, and late enough to be worth a question. */
const usualPatience = 4_000;

const statement = {
  name: 'grantlog.append',
  text: `select commit_no, first_position, recorded_ms from append(
    $1, $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::uuid[], $8::int[],
    $9::int[], $10::uuid[], $11::int[], $12::text[], $13::int[], $14::text[], $15::text[])`,
};

type Row = { readonly commit_no: number; readonly first_position: number; readonly recorded_ms: number };

/**
 * Appends a batch in one statement, one round trip, autocommit. The answers are in the order of the commits.
 * No two commits of a batch may touch one stream unless both only read it.
 *
 * @param patience Milliseconds of waiting after which it is found out who is in the way.
 * @throws LogUnavailable when a lock was not had in time, naming who held it; else the error of node-postgres.
 */
export const appendBatch = async (
  pool: pg.Pool,
  platform: PlatformId,
  commits: readonly Commit[],
  patience = usualPatience,
): Promise<readonly AppendResult[]> => {
  const expectations = { commit: [] as number[], stream: [] as string[], version: [] as number[] };
  const events = {
    commit: [] as number[],
    stream: [] as string[],
    version: [] as number[],
    type: [] as string[],
    schema: [] as number[],
    data: [] as string[],
    personal: [] as (string | null)[],
  };
  commits.forEach((commit, index) => {
    for (const { streamId, expected } of [...commit.writes, ...commit.reads]) {
      expectations.commit.push(index + 1);
      expectations.stream.push(streamId);
      expectations.version.push(expected);
    }
    for (const write of commit.writes) {
      write.events.forEach((event, offset) => {
        events.commit.push(index + 1);
        events.stream.push(write.streamId);
        events.version.push(write.expected + offset + 1);
        events.type.push(event.type);
        events.schema.push(event.schemaVersion ?? 1);
        events.data.push(JSON.stringify(event.data));
        events.personal.push(event.personal === undefined ? null : event.personal.toHex());
      });
    }
  });
  const asked = {
    ...statement,
    values: [
      platform,
      commits.map((commit) => commit.commitId),
      commits.map((commit) => JSON.stringify(commit.actor)),
      commits.map((commit) => commit.correlationId),
      commits.map((commit) => commit.causationId ?? null),
      expectations.commit,
      expectations.stream,
      expectations.version,
      events.commit,
      events.stream,
      events.version,
      events.type,
      events.schema,
      events.data,
      events.personal,
    ],
  };
  const rows = await queryNamingBlockers<Row>(pool, asked, patience);
  const answers: AppendResult[] = commits.map(() => ({ outcome: 'conflict' }));
  for (const row of rows) {
    answers[row.commit_no - 1] = { outcome: 'appended', position: row.first_position, recordedAt: row.recorded_ms };
  }
  return answers;
};
