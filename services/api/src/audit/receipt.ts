import type { PlatformId } from '@grantlog/eventsourcing';
import { type Pool, readCosignedNote, readEventAt, readWitnessedCheckpoint } from '@grantlog/postgres';
import { ProblemError } from '@grantlog/protocol';
import { leavesOf, tileReaderOf } from '@grantlog/read-models';
import { proveInclusion, writeLogProof } from '@grantlog/transparency';
import type { FastifyReply } from 'fastify';
import { refusalProblem } from '../json-api/refusals.ts';
import { refuseArchivedPosition } from './archives.ts';
import { type StandingTree, standingTree } from './standing-tree.ts';
import { auditWords } from './words.ts';

/** Seconds until it is worth asking again: a tree is signed every second. */
const signedWithin = 2;

/** What nobody can be told yet, whoever it concerns. */
export const notSignedYet = (): ProblemError => {
  const { problem, reason, headers } = refusalProblem(auditWords, 'not_signed_yet');
  return new ProblemError(problem, { reason, headers: { ...headers, 'retry-after': String(signedWithin) } });
};

/** Where an event stands in the tree as it is signed. @throws ProblemError 404 where it is not yet */
export const openSigned = async (
  pool: Pool,
  { platform, position }: { readonly platform: PlatformId; readonly position: number },
): Promise<StandingTree & { readonly index: number }> => {
  const found = await standingTree(pool, platform).catch((error: unknown) => {
    throw error instanceof ProblemError ? notSignedYet() : error;
  });
  const index = position - found.tree.base - 1;
  if (index < 0 || index >= found.signed.size) throw notSignedYet();
  return { ...found, index };
};

/** The leaf of the event at a position. @throws ProblemError 410 where it may be archived, 404 where it is not there */
export const leafAt = async (pool: Pool, of: { readonly platform: PlatformId; readonly position: number }): Promise<Uint8Array> => {
  const event = await readEventAt(pool, of);
  const [leaf] = event === null ? [] : leavesOf([event]);
  if (leaf !== undefined) return leaf;
  await refuseArchivedPosition(pool, of);
  throw notSignedYet();
};

/** A receipt of the event at a position: its leaf, where that stands, and the checkpoint that says so. */
export const receiptOf = async (pool: Pool, { tree, signed, index }: StandingTree & { readonly index: number }): Promise<string> => {
  const leaf = await leafAt(pool, { platform: tree.platform, position: tree.base + index + 1 });
  // Whoever cannot ask here believes what others have seen as well.
  const found = (await readWitnessedCheckpoint(pool, { ...tree, atLeast: index + 1, atMost: signed.size })) ?? signed;
  const hashes = await proveInclusion({ index, size: found.size, readTile: tileReaderOf(pool, tree) });
  return writeLogProof({ index, hashes, checkpoint: await readCosignedNote(pool, tree, found), extra: leaf });
};

/** What a route answers with a receipt. */
export const receiptAnswer = {
  description: 'Good by itself, for as long as the key is believed',
  content: { 'text/plain': { schema: { type: 'string' } } },
} as const;

const asItIs = (payload: unknown): string => payload as string;
export const sendReceipt = (reply: FastifyReply, receipt: string): FastifyReply =>
  reply.header('cache-control', 'private, no-store').type('text/plain; charset=utf-8').serializer(asItIs).send(receipt);
