import { randomUuid, standingId } from '@grantlog/crypto';
import { type ArchiveFile, type ArchiveId, auditDecider, standingKinds } from '@grantlog/domain';
import type { CommitId, PlatformId } from '@grantlog/eventsourcing';
import type { By, Provisioning } from './provisioning.ts';

/**
 * Records that a file of events of a month was written, before any of them leaves the log: whoever is shown a file later can tell
 * that it is this one.
 *
 * @returns the position of the record
 * @throws LogUnavailable where it cannot be recorded; then nothing may leave
 */
export const recordArchive = async (
  { log }: Pick<Provisioning, 'log'>,
  by: By,
  archived: { readonly platform: PlatformId; readonly file: ArchiveFile },
): Promise<number> => {
  const streamId = standingId(standingKinds.archive) as ArchiveId;
  const { events, refusal } = auditDecider.decide({ type: 'archive', file: archived.file }, auditDecider.initial);
  if (refusal !== undefined) throw new Error(`a new record of an archive is refused: ${refusal}`);
  const result = await log.append(archived.platform, {
    commitId: randomUuid() as CommitId,
    writes: [{ streamId, expected: 0, events }],
    reads: [],
    actor: by.actor,
    correlationId: by.correlationId,
  });
  if (result.outcome === 'conflict') throw new Error(`${streamId} is not new`);
  return result.position;
};
