import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import type { Database, Transaction } from '../deliveries/database.ts';

/** The leaf of an event that was archived: its place, and its hash in the tree, 32 bytes. */
export type ArchivedLeaf = { readonly position: number; readonly hash: Uint8Array };

/** Positions of one row. */
const blockSize = 256;
const hashLength = 32;

const blockOf = (position: number): number => Math.floor((position - 1) / blockSize);

type Block = { readonly block: number; readonly present: Buffer; readonly hashes: Buffer };

const leavesOfBlock = ({ block, present, hashes }: Block): readonly ArchivedLeaf[] => {
  const leaves: ArchivedLeaf[] = [];
  for (let bit = 0; bit < blockSize; bit += 1) {
    if (((present[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
    const start = leaves.length * hashLength;
    leaves.push({ position: block * blockSize + bit + 1, hash: hashes.subarray(start, start + hashLength) });
  }
  return leaves;
};

/** The archived leaves after one position and up to another, in order. */
export const readArchivedLeaves = async (
  client: pg.Pool | pg.ClientBase,
  range: { readonly platform: PlatformId; readonly after: number; readonly through: number },
): Promise<readonly ArchivedLeaf[]> => {
  const { platform, after, through } = range;
  if (through <= after) return [];
  const { rows } = await client.query<Block>({
    name: 'grantlog.archived-leaves',
    // Several archives may have leaves of one block: a month may be archived more than once, and months overlap in the log.
    text: `select l.block, l.present, l.hashes from archived_leaf l join archive a on a.id = l.archive
      where l.platform = $1 and l.block between $2 and $3 order by l.block`,
    values: [platform, blockOf(after + 1), blockOf(through)],
  });
  return rows
    .flatMap(leavesOfBlock)
    .filter(({ position }) => position > after && position <= through)
    .sort((one, other) => one.position - other.position);
};

/** Collects leaves in the order of their positions into rows. */
export const createLeafBlocks = (write: (blocks: readonly Block[]) => Promise<void>) => {
  /** Rows of one statement. */
  const most = 500;
  let full: Block[] = [];
  let open: { readonly block: number; readonly present: Buffer; readonly hashes: Uint8Array[] } | null = null;
  const close = (): void => {
    if (open !== null) full.push({ block: open.block, present: open.present, hashes: Buffer.concat(open.hashes) });
    open = null;
  };
  const flush = async (): Promise<void> => {
    const blocks = full;
    full = [];
    if (blocks.length > 0) await write(blocks);
  };
  return {
    add: async ({ position, hash }: ArchivedLeaf): Promise<void> => {
      const block = blockOf(position);
      if (open?.block !== block) {
        close();
        if (full.length >= most) await flush();
        open = { block, present: Buffer.alloc(blockSize / 8), hashes: [] };
      }
      const bit = position - 1 - block * blockSize;
      open.present[bit >> 3] = (open.present[bit >> 3] ?? 0) | (1 << (bit & 7));
      open.hashes.push(hash);
    },
    end: async (): Promise<void> => {
      close();
      await flush();
    },
  };
};

/** Keeps leaves of an archive that is being made; they count once it is. Of the migration role. */
export const writeArchivedLeaves = async (
  client: Database | Transaction,
  of: { readonly platform: PlatformId; readonly archive: string },
  blocks: readonly Block[],
): Promise<void> => {
  await client.query({
    name: 'grantlog.archived-leaves-write',
    text: `insert into archived_leaf (platform, block, archive, present, hashes)
      select $1, b.block, $2, b.present, b.hashes from unnest($3::bigint[], $4::bytea[], $5::bytea[]) as b(block, present, hashes)`,
    values: [
      of.platform,
      of.archive,
      blocks.map((each) => each.block),
      blocks.map((each) => each.present),
      blocks.map((each) => each.hashes),
    ],
  });
};
