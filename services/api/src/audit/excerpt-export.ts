import type { JsonObject, PlatformId } from '@grantlog/eventsourcing';
import { readAuditCheckpoint, readCosignedNote } from '@grantlog/postgres';
import { type AuditFilter, auditIndex, eventsOfFilter, isRange, livePosition, tileReaderOf, waitForPosition } from '@grantlog/read-models';
import { type ExcerptedEvent, writeExcerpt } from '@grantlog/transparency';
import { refusalProblem } from '../json-api/refusals.ts';
import type { AuditDeps } from './audit-deps.ts';
import { type StandingTree, standingTree } from './standing-tree.ts';
import { auditWords } from './words.ts';

/** What an excerpt is asked for with. */
type Wanted = {
  readonly platform: PlatformId;
  /** Null where it can be about nobody. */
  readonly filter: AuditFilter | null;
  /** The filter as it stands on record. */
  readonly about: JsonObject;
  /** Sizes of checkpoints that the asker has kept. */
  readonly boundaries: readonly number[];
};

/** The tree as far as both signature and index have come: what is signed and not indexed would be missing without a word. */
const indexedTree = async (pool: AuditDeps['pool'], platform: PlatformId): Promise<StandingTree> => {
  const { tree, signed } = await standingTree(pool, platform);
  const of = { name: auditIndex.name, platform };
  if (await waitForPosition(pool, { ...of, minPosition: tree.base + signed.size })) return { tree, signed };
  const atMost = Math.min(signed.size, (await livePosition(pool, of)) - tree.base);
  const before = await readAuditCheckpoint(pool, { ...tree, atMost });
  if (before === null) throw refusalProblem(auditWords, 'not_signed_yet');
  return { tree, signed: before };
};

async function* nothing(): AsyncGenerator<ExcerptedEvent, void, void> {}

/**
 * An excerpt of a platform's log up to its latest checkpoint, as bytes of whole lines. Personal data is in it by its digest alone.
 *
 * @throws ProblemError 404 where nothing is signed yet, 422 for a boundary beyond what is
 */
export const excerptOf = async (pool: AuditDeps['pool'], wanted: Wanted): Promise<AsyncIterable<Uint8Array>> => {
  const { platform, filter, about, boundaries } = wanted;
  const needsIndex = filter !== null && !isRange(filter);
  const { tree, signed } = await (needsIndex ? indexedTree : standingTree)(pool, platform);
  const { lineage, base } = tree;
  const { size, root } = signed;
  if (boundaries.some((boundary) => boundary > size)) throw refusalProblem(auditWords, 'unknown_checkpoint');
  return writeExcerpt({
    head: { platform, lineage, base, about: { filter: filter === null ? null : about } },
    checkpoint: { note: await readCosignedNote(pool, tree, signed), size, root },
    events: filter === null ? nothing() : eventsOfFilter(pool, { platform, filter, base, size }),
    readTile: tileReaderOf(pool, tree),
    boundaries,
  });
};
