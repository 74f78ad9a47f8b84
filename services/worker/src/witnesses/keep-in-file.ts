import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditCheckpoint, type Database, listAuditCheckpoints, readAuditCheckpoint } from '@grantlog/postgres';
import { proveConsistency, verifyConsistency } from '@grantlog/transparency';
import { closingOf, type KeptNote, lastNoteOf } from './kept-notes.ts';
import type { FileWitness, Submission, Told } from './witness.ts';

/** Bytes at the end of a file in which its last note is looked for. */
const tailLength = 65_536;
/** Checkpoints that are put to a file at a time. */
const most = 1_000;

const readTail = async (file: FileHandle): Promise<string> => {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, tailLength));
  await file.read(tail, 0, tail.byteLength, size - tail.byteLength);
  return tail.toString('utf8');
};

/** A new name in a folder is as durable as the folder. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Whether what is signed begins with what the file has: the file then goes on as any witness would. */
const goesOn = async ({ signed, readTile }: Submission, kept: KeptNote): Promise<boolean> => {
  const hashes = await proveConsistency({ oldSize: kept.size, newSize: signed.size, readTile });
  return verifyConsistency({ oldSize: kept.size, oldRoot: kept.root, newSize: signed.size, newRoot: signed.root, hashes });
};

/** What is to be added: every checkpoint since the last that is there whole, and the latest alone where none is. */
const missingFrom = async (pool: Database, { tree, signed }: Submission, kept: KeptNote | null): Promise<readonly AuditCheckpoint[]> => {
  if (kept === null) return [signed];
  const ours = await readAuditCheckpoint(pool, { ...tree, atMost: kept.size });
  // The same tree under another text is a note that lost its end: signing is the same bytes each time.
  const isWhole = ours?.size === kept.size && ours.note === kept.note;
  return listAuditCheckpoints(pool, { ...tree, above: isWhole ? kept.size : kept.size - 1, limit: most });
};

const add = async (context: { readonly pool: Database }, submission: Submission, file: FileHandle): Promise<Told> => {
  const { tree, signed } = submission;
  const tail = await readTail(file);
  const kept = lastNoteOf(tail, tree.origin);
  if (kept !== null && kept.size > signed.size) return { kind: 'conflict', conflict: 'ahead', witnessSize: kept.size };
  if (kept !== null && !(await goesOn(submission, kept))) return { kind: 'conflict', conflict: 'inconsistent', witnessSize: kept.size };
  const missing = await missingFrom(context.pool, submission, kept);
  const last = missing.at(-1);
  if (last === undefined) return { kind: 'kept', size: signed.size, root: signed.root };
  await file.appendFile(closingOf(tail) + missing.map(({ note }) => `${note}\n`).join(''));
  await file.sync();
  return { kind: 'kept', size: last.size, root: last.root };
};

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');
const isOfFiles = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/**
 * Puts what was signed at the end of the platform's file, whole and on the disk before it counts. Nothing that is there is ever
 * changed, so the file may be one that can only grow; a log that does not go on from what it has is refused.
 */
export const keepInFile = async (context: { readonly pool: Database }, { folder }: FileWitness, submission: Submission): Promise<Told> => {
  try {
    const file = await open(join(folder, `${submission.tree.platform}.checkpoints`), 'a+');
    try {
      const told = await add(context, submission, file);
      await syncFolder(folder);
      return told;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isOfFiles(error)) throw error;
    return { kind: 'failed', failure: 'unwritable', detail: `its file cannot be read or written (${codeOf(error)})`, retryAfterMs: null };
  }
};
