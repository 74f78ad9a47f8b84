import { randomUuid, uuidv7 } from '@grantlog/crypto';
import { type AuditQuestion, type AuditReadId, auditDecider } from '@grantlog/domain';
import type { CommitId, JsonObject, PlatformId } from '@grantlog/eventsourcing';
import type { By, Provisioning } from './provisioning.ts';

/**
 * Records that somebody reads what is other people's, before they are shown it: what is not on record is not told.
 *
 * @returns the position of the record
 * @throws LogUnavailable where it cannot be recorded; then nothing may be shown
 */
export const recordAuditRead = async (
  { log }: Pick<Provisioning, 'log'>,
  by: By,
  read: { readonly platform: PlatformId; readonly question: AuditQuestion; readonly about: JsonObject },
): Promise<number> => {
  const { platform, question, about } = read;
  const streamId = uuidv7(Date.now()) as AuditReadId;
  const { events, refusal } = auditDecider.decide({ type: 'read', question, about }, auditDecider.initial);
  if (refusal !== undefined) throw new Error(`a new record of a reading is refused: ${refusal}`);
  const result = await log.append(platform, {
    commitId: randomUuid() as CommitId,
    writes: [{ streamId, expected: 0, events }],
    reads: [],
    actor: by.actor,
    correlationId: by.correlationId,
  });
  if (result.outcome === 'conflict') throw new Error(`${streamId} is not new`);
  return result.position;
};
