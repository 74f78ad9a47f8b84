import type { PlatformId } from '@grantlog/eventsourcing';
import { type AuditCheckpoint, type AuditTree, readAuditCheckpoint, readAuditTree } from '@grantlog/postgres';
import { refusalProblem } from '../json-api/refusals.ts';
import type { AuditDeps } from './audit-deps.ts';
import { auditWords } from './words.ts';

/** A tree as far as it is signed. What has grown since is nobody's to see. */
export type StandingTree = { readonly tree: AuditTree; readonly signed: AuditCheckpoint };

/** While a tree is made anew, what was signed of as much as there is again. @throws ProblemError 404 where nothing of a platform's log has been signed yet */
export const standingTree = async (pool: AuditDeps['pool'], platform: PlatformId): Promise<StandingTree> => {
  const tree = await readAuditTree(pool, platform);
  const signed = tree === null ? null : await readAuditCheckpoint(pool, { ...tree, atMost: tree.size });
  if (tree === null || signed === null) throw refusalProblem(auditWords, 'not_signed_yet');
  return { tree, signed };
};
