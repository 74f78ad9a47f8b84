import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { createDigest } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import {
  type AuditCheckpoint,
  type AuditTree,
  createLeafBlocks,
  type Month,
  type Pool,
  readMonth,
  writeArchivedLeaves,
} from '@grantlog/postgres';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import { type ExcerptedEvent, hashLeaf, type LogIdentity, verifyExcerpt, writeExcerpt } from '@grantlog/transparency';
import { Problem, unlessMissing } from '../../problem.ts';

export type ArchiveTask = {
  readonly id: string;
  readonly tree: AuditTree;
  readonly checkpoint: AuditCheckpoint;
  readonly log: LogIdentity;
  readonly month: Month;
  /** The last position of the month that is looked at. */
  readonly seen: number;
  readonly stays: ReadonlySet<StreamId>;
  readonly path: string;
};

export type WrittenArchive = {
  readonly sha256: Uint8Array;
  readonly events: number;
  readonly streams: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
};

/** What is renamed has to be in its folder before anything is built on it. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** The file as it is on the disk: whether it proves itself, and its digest. */
const readBack = async (path: string, log: LogIdentity) => {
  const digest = createDigest();
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    const source = createReadStream(path);
    source.on('data', (chunk) => digest.add(chunk as Uint8Array));
    yield* source.pipe(createGunzip());
  };
  const found = await verifyExcerpt({ excerpt: bytes(), log, trusted: [] });
  return { found, sha256: digest.end() };
};

/**
 * Writes the events of a month that are over to a file, an excerpt of the log in gzip, and reads it back: what is kept is the file as it
 * is on the disk, verified. Their hashes in the tree go to the database, where they count as soon as the archive does.
 *
 * @throws Problem where an event is not the one that was signed; the file is not there then
 */
export const writeArchiveFile = async (owner: Pool, task: ArchiveTask): Promise<WrittenArchive> => {
  const { id, tree, checkpoint, month, seen, stays, path } = task;
  const { platform, lineage, base } = tree;
  const streams = new Set<StreamId>();
  const positions: { first: number; last: number; events: number } = { first: 0, last: 0, events: 0 };
  const blocks = createLeafBlocks((rows) => writeArchivedLeaves(owner, { platform, archive: id }, rows));
  const events = async function* (): AsyncGenerator<ExcerptedEvent> {
    for await (const event of readMonth(owner, { platform, month, through: seen })) {
      if (stays.has(event.streamId)) continue;
      const [leaf] = leavesOf([event]);
      if (leaf === undefined) continue;
      const { position } = event;
      await blocks.add({ position, hash: hashLeaf(leaf) });
      streams.add(event.streamId);
      if (positions.events === 0) positions.first = position;
      positions.last = position;
      positions.events += 1;
      yield { index: position - base - 1, leaf, personal: event.personal };
    }
  };
  const lines = writeExcerpt({
    head: { platform, lineage, base, about: { archive: id, month: month.name } },
    checkpoint,
    events: events(),
    readTile: tileReaderOf(owner, tree),
  });

  const part = `${path}.part`;
  try {
    // What a run that was cut short has left, or another deployment keeps here: only the first is anybody's to overwrite.
    if ((await unlessMissing(stat(path))) !== null)
      throw new Problem(`There is a file ${path} already`, 'move it away, and find out which log it is of: its first line says so');
    await rm(part, { force: true });
    // Flushed: what is on the disk is what is read back, and kept.
    await pipeline(Readable.from(lines), createGzip({ level: 6 }), createWriteStream(part, { flags: 'wx', flush: true }));
    await blocks.end();
    const { found, sha256 } = await readBack(part, task.log);
    if (found.kind !== 'verified' || found.events !== positions.events) {
      const where = found.kind === 'event_differs' ? ` at position ${found.position}` : '';
      throw new Problem(
        `${month.name} of ${platform} was not archived: what the log has${where} is not what was signed (${found.kind})`,
        'run grantlog audit verify, and find out who changed it',
      );
    }
    await rename(part, path);
    await syncFolder(dirname(path));
    const { first: firstPosition, last: lastPosition, events: count } = positions;
    return { sha256, events: count, streams: streams.size, firstPosition, lastPosition };
  } finally {
    await rm(part, { force: true });
  }
};

export const archivePath = (folder: string, of: { readonly platform: string; readonly month: string; readonly part: number }): string =>
  join(folder, `${of.platform}-${of.month}${of.part === 1 ? '' : `-${of.part}`}.ndjson.gz`);
