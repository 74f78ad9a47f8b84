import { randomUuid } from '@grantlog/crypto';
import { platformDecider, platformStream } from '@grantlog/domain';
import { fold, type PlatformId } from '@grantlog/eventsourcing';
import {
  type Archive,
  type AuditCheckpoint,
  type AuditTree,
  detachMonth,
  hasMonth,
  listArchives,
  type Month,
  MonthNotDetached,
  type MonthPart,
  type Pool,
  platformsOfMonth,
  readAuditCheckpoint,
  readAuditTree,
  readCosignedNote,
  readWitnessedCheckpoint,
  removeRemains,
} from '@grantlog/postgres';
import { openLogKey, type Provisioning, recordArchive } from '@grantlog/provisioning';
import { forgetArchived } from '@grantlog/read-models';
import { verifierKeyOf } from '@grantlog/transparency';
import { Problem } from '../../problem.ts';
import { type Survey, surveyMonth } from './survey.ts';
import { archivePath, writeArchiveFile } from './write-file.ts';

/** The connections that archiving needs: the owner's, the worker's, and what appends. */
export type ArchiveContext = { readonly provisioning: Provisioning & { readonly pool: Pool }; readonly owner: Pool; readonly worker: Pool };

export type ArchiveOrder = {
  readonly month: Month;
  /** A folder that is there. */
  readonly folder: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly onProgress: (line: string) => void;
};

/** What became of a platform's part of the month. */
export type MonthArchived = {
  readonly platform: PlatformId;
  /** Null where every stream of it lives. */
  readonly archive: Archive | null;
  readonly path: string | null;
  readonly stays: number;
};

const by = { actor: { kind: 'system', id: 'command line' }, correlationId: 'grantlog audit archive' } as const;

type Ready = { readonly platform: PlatformId; readonly seen: number; readonly tree: AuditTree; readonly checkpoint: AuditCheckpoint };

/** Everything that reads the log has to have read the month, and its events have to be signed. */
const makeReady = async (pool: Pool, month: Month): Promise<readonly Ready[]> => {
  const ready: Ready[] = [];
  for (const [platform, seen] of await platformsOfMonth(pool, month)) {
    const { rows } = await pool.query<{ name: string; position: number }>(
      'select name, position from subscription where platform = $1 and position < $2 order by position limit 1',
      [platform, seen],
    );
    const [behind] = rows;
    if (behind !== undefined)
      throw new Problem(
        `${behind.name} has read the log of ${platform} up to position ${behind.position}, and ${month.name} goes up to ${seen}`,
        'let a worker run until grantlog projections shows that nothing is behind',
      );
    const tree = await readAuditTree(pool, platform);
    const signed = tree === null ? null : await readAuditCheckpoint(pool, { ...tree, atMost: tree.size });
    if (tree === null || signed === null || tree.base + signed.size < seen)
      throw new Problem(
        `The log of ${platform} is not signed up to position ${seen} yet`,
        'let a worker run for some seconds, and try again',
      );
    // A file is kept for years: one that others have seen as well is the better one to be proved by.
    const found = (await readWitnessedCheckpoint(pool, { ...tree, atLeast: seen - tree.base, atMost: signed.size })) ?? signed;
    ready.push({ platform, seen, tree, checkpoint: { ...found, note: await readCosignedNote(pool, tree, found) } });
  }
  return ready;
};

const signInSecondsOf = async ({ log }: Provisioning, platform: PlatformId): Promise<number> => {
  const state = fold(platformDecider, (await log.load(platform, [{ streamId: platformStream }])).stream(platformStream));
  // A platform without a document signs nobody in.
  return state.status === 'none' ? 0 : state.document.lifetimes.signInSeconds;
};

/** One run at a time, for as long as `work` takes. @throws Problem where another is at it */
const alone = async <Value>(pool: Pool, work: () => Promise<Value>): Promise<Value> => {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ got: boolean }>(`select pg_try_advisory_lock(hashtextextended('grantlog.archive', 0)) as got`);
    if (rows[0]?.got !== true) throw new Problem('Another archive is being made', 'wait until it is done');
    return await work();
  } finally {
    // With the session goes its lock.
    client.release(true);
  }
};

/**
 * Archives a month: writes what is over of each platform to a file that proves itself, records each file in its log, and takes the
 * events out of the log. What lives stays. Cut short at any point, it leaves the log as it was, and a file that counts for nothing.
 *
 * @throws Problem where the month cannot be archived (yet): what is in the way
 */
export const archiveMonth = (context: ArchiveContext, order: ArchiveOrder): Promise<readonly MonthArchived[]> =>
  alone(context.owner, async () => {
    const { provisioning, owner, worker } = context;
    const { month, folder, now, onProgress } = order;
    if (!(await hasMonth(owner, month))) throw new Problem(`The log has no month ${month.name}`, 'check the month: it is as 2026-03');
    await removeRemains(owner);
    const results: MonthArchived[] = [];
    const parts: MonthPart[] = [];
    for (const { platform, seen, tree, checkpoint } of await makeReady(owner, month)) {
      onProgress(`${platform}: looking at what is over`);
      const signInSeconds = await signInSecondsOf(provisioning, platform);
      const { stays, over, subjects }: Survey = await surveyMonth(owner, { platform, month, now, signInSeconds });
      if (over === 0) {
        parts.push({ platform, seen, archive: null, stays, subjects: new Map() });
        results.push({ platform, archive: null, path: null, stays: stays.size });
        continue;
      }
      const id = randomUuid();
      const before = await listArchives(owner, { platform, month: month.name });
      const path = archivePath(folder, { platform, month: month.name, part: before.length + 1 });
      onProgress(`${platform}: writing ${path}`);
      const key = verifierKeyOf({ name: tree.origin, key: await openLogKey(provisioning, platform) }, 'ed25519');
      const { sha256, ...written } = await writeArchiveFile(owner, { id, tree, checkpoint, log: { key }, month, seen, stays, path });
      const file = path.slice(folder.length).replace(/^\/+/, '');
      const treeSize = checkpoint.size;
      const archive: Archive = { id, platform, lineage: tree.lineage, month: month.name, file, digest: sha256, treeSize, ...written };
      parts.push({ platform, seen, archive, stays, subjects });
      results.push({ platform, archive, path, stays: stays.size });
    }
    const archives = parts.flatMap(({ archive }) => archive ?? []);
    if (archives.length === 0) return results;
    // On record first: the record also keeps the last position of a log that would be idle else.
    for (const { id, platform, lineage: _, digest, ...file } of archives)
      await recordArchive(provisioning, by, { platform, file: { ...file, archive: id, sha256: Buffer.from(digest).toString('hex') } });
    onProgress(`taking ${month.name} out of the log`);
    try {
      await detachMonth(owner, month, parts);
    } catch (error) {
      if (!(error instanceof MonthNotDetached)) throw error;
      throw new Problem(
        error.message,
        'nothing has left the log, and the files that were written count for nothing: delete them, and try again',
      );
    }
    for (const { platform } of archives) {
      onProgress(`${platform}: taking it out of what was made of the log`);
      await forgetArchived(worker, { platform, month });
    }
    return results;
  });
