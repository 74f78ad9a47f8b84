import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlatformId } from '@grantlog/eventsourcing';
import { newStandingStream, newStream } from '../../../packages/postgres/test/support/commits.ts';
import type { TestDatabase } from '../../../packages/postgres/test/support/test-database.ts';
import { checkLog, type LogRow } from './check-log.ts';
import { type Answer, type JournalLine, readJournal } from './journal.ts';
import { createRandom } from './random.ts';
import type { ReaderOptions } from './reader.ts';
import type { WriterOptions } from './writer.ts';

export type CrowdReport = {
  /** What is wrong, in words; empty when the log kept its promises. */
  readonly broken: readonly string[];
  readonly events: number;
  readonly kills: number;
  readonly cuts: number;
  readonly answers: Readonly<Record<Answer['outcome'], number>>;
};

const start = (script: string, options: object, signal: AbortSignal): ChildProcess =>
  spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    signal,
    killSignal: 'SIGKILL',
  }).on('error', () => {});

const textOf = async (child: ChildProcess): Promise<string> => {
  const parts: Buffer[] = [];
  child.stdout?.on('data', (part: Buffer) => parts.push(part));
  await once(child, 'close');
  return Buffer.concat(parts).toString();
};

/** How far a run goes: it ends when all of these are reached, however slow the machine is. */
export type CrowdGoal = { readonly events: number; readonly kills: number; readonly cuts: number };

/**
 * Processes that append at once; again and again one is killed at work and another takes its place, sessions are cut in
 * the middle of whatever they do; two more processes read along. Then everything is held against what stands in the log.
 */
export const runCrowd = async (crowd: {
  readonly database: TestDatabase;
  readonly platform: PlatformId;
  readonly seed: number;
  readonly goal: CrowdGoal;
  /** Aborted when the test has run out of time: no process stays behind. */
  readonly signal: AbortSignal;
}): Promise<CrowdReport> => {
  const { database, platform, seed, goal, signal } = crowd;
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'grantlog-crowd-'));
  const streams = Array.from({ length: 24 }, (_, index) => (index % 3 === 0 ? newStandingStream() : newStream()));
  const { url } = database;
  let started = 0;
  const atWork = new Set<ChildProcess>();
  const startWriter = (): ChildProcess => {
    started += 1;
    const options: WriterOptions = { url, platform, journal: join(folder, `${started}.jsonl`), seed: seed + started, streams, callers: 6 };
    const writer = start('./writer.ts', options, signal);
    // It says so when its first commit is acknowledged; whoever is killed before that disturbs nobody.
    writer.stdout?.once('data', () => atWork.add(writer));
    return writer;
  };

  const readers = [0, 1].map(() => start('./reader.ts', { url, platform } satisfies ReaderOptions, signal));
  const sightings = Promise.all(readers.map(textOf));
  const writers = Array.from({ length: 4 }, startWriter);
  let kills = 0;
  let cuts = 0;
  let events = 0;
  while (!signal.aborted && (events < goal.events || kills < goal.kills || cuts < goal.cuts)) {
    await new Promise((resolve) => setTimeout(resolve, 30 + random.below(80)));
    const victim = random.below(writers.length);
    const writer = writers[victim];
    if (writer !== undefined && atWork.has(writer) && random.below(4) === 0) {
      writer.kill('SIGKILL');
      writers[victim] = startWriter();
      kills += 1;
    } else if (atWork.size > 0) {
      const how = random.below(2) === 0 ? 'pg_terminate_backend' : 'pg_cancel_backend';
      const rows = await database.asSuperuser(
        `select ${how}(pid) from pg_stat_activity where application_name = 'grantlog_api' and datname = current_database() order by random() limit 1`,
      );
      cuts += rows.length;
    }
    const [grown] = await database.asSuperuser<{ events: number }>('select count(*) as events from grantlog.event where platform = $1', [
      platform,
    ]);
    events = grown?.events ?? 0;
  }
  await Promise.all(
    writers.map((writer) => {
      const closed = once(writer, 'close');
      writer.kill('SIGTERM');
      return closed;
    }),
  );
  // Sessions of killed writers may still be at work; what they append belongs to the picture.
  const working = `select 1 from pg_stat_activity where application_name = 'grantlog_api' and datname = current_database()`;
  while ((await database.asSuperuser(working)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const reader of readers) reader.stdin?.write('stop\n');

  const rows = await database.asSuperuser<LogRow>(
    'select position, stream_id as stream, version, commit_id as commit from grantlog.event where platform = $1 order by position',
    [platform],
  );
  const journal = readdirSync(folder).flatMap((name): readonly JournalLine[] => readJournal(join(folder, name)));
  rmSync(folder, { recursive: true });
  const written = rows.map(({ position, stream, version }) => `${position} ${stream} ${version}`);
  const skipped = (await sightings).flatMap((text) => {
    const seen = new Set(text.split('\n'));
    const missed = written.filter((row) => !seen.has(row));
    return missed.length === 0 ? [] : [`readers: one that remembers a number missed ${missed.length} events, the first at ${missed[0]}`];
  });
  const count = (outcome: Answer['outcome']): number => journal.filter((line) => line.kind === 'answer' && line.outcome === outcome).length;
  return {
    broken: [...checkLog(rows, journal), ...skipped],
    events: rows.length,
    kills,
    cuts,
    answers: { appended: count('appended'), conflict: count('conflict'), refused: count('refused'), unknown: count('unknown') },
  };
};
