import {
  type ClaimedWitness,
  claimWitness,
  type Database,
  ensureWitnesses,
  insertAuditCosignature,
  readAuditCheckpoint,
  readAuditTree,
  recordWitness,
  type WitnessRecord,
} from '@grantlog/postgres';
import { tileReaderOf } from '@grantlog/read-models';
import type { Logger } from '@grantlog/runtime';
import { insist } from '../webhooks/insist.ts';
import { type AskContext, askCosigner } from './ask-cosigner.ts';
import { keepInFile } from './keep-in-file.ts';
import type { Submission, Told, Witness } from './witness.ts';

export type Witnessing = {
  /** Tells a witness of every tree that is due; returns when none is any more. For a timer of its own. */
  readonly tell: (witness: Witness) => Promise<void>;
  /** Begins nothing more, and ends what is begun: it is told again, by whomever. */
  readonly stop: () => Promise<void>;
};

export type WitnessingContext = AskContext & {
  readonly pool: Database;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onTold: (outcome: 'cosigned' | 'kept' | 'conflict' | 'failed') => void;
  /** Milliseconds from one telling to the next of the same tree; default 1,000. */
  readonly pauseMs?: number;
  /** Milliseconds for which a claim holds. */
  readonly claimMs?: number;
};

const second = 1_000;
/** Trees that a witness is told of at once. A slow one holds up itself alone. */
const lanes = 4;
/** Longer than an asking and its recording can take: a killed worker delays its claims by this much. */
const defaultClaimMs = 60 * second;
const longestPauseMs = 300 * second;

/**
 * Tells witnesses of what is signed; any number of workers share it. It reads checkpoints and never holds up their making. A witness
 * gets the latest, from one worker at a time, and where it fails later each time, up to five minutes.
 */
export const createWitnessing = (context: WitnessingContext): Witnessing => {
  const { pool, logger, random, pauseMs = second, claimMs = defaultClaimMs } = context;
  const stopping = new AbortController();
  const open = new Set<Promise<void>>();

  const retryIn = ({ failures }: ClaimedWitness, retryAfterMs: number | null): number => {
    const pause = Math.min(pauseMs * 2 ** Math.min(failures, 20), longestPauseMs);
    return Math.round(Math.max(pause * (0.9 + random() / 5), Math.min(retryAfterMs ?? 0, longestPauseMs)));
  };

  const submissionOf = async ({ platform, lineage, size }: ClaimedWitness): Promise<Submission | null> => {
    const tree = await readAuditTree(pool, platform);
    const signed = await readAuditCheckpoint(pool, { platform, lineage });
    // A tree that is being made anew proves nothing yet.
    if (tree === null || signed === null || tree.lineage !== lineage || tree.size < signed.size) return null;
    return { tree, signed, known: size, readTile: tileReaderOf(pool, tree), signal: stopping.signal };
  };

  const told = (witness: Witness, submission: Submission): Promise<Told> =>
    witness.kind === 'file' ? keepInFile(context, witness, submission) : askCosigner(context, witness, submission);

  /** Whether somebody else has shown the witness what we have not read yet. */
  const isOvertaken = async (answer: Told, { tree }: Submission): Promise<boolean> =>
    answer.kind === 'conflict' && answer.conflict === 'ahead' && ((await readAuditCheckpoint(pool, tree))?.size ?? 0) >= answer.witnessSize;

  const recordOf = async (claimed: ClaimedWitness, submission: Submission, answer: Told): Promise<WitnessRecord> => {
    const { tree, signed } = submission;
    const { size, root } = signed;
    const { platform, witness } = claimed;
    switch (answer.kind) {
      case 'cosigned': {
        const { line, timestampSeconds } = answer;
        await insertAuditCosignature(pool, tree, { size, root, witness, line, cosignedAt: new Date(timestampSeconds * 1_000) });
        return { kind: 'taken', size, root, againInMs: pauseMs };
      }
      case 'kept':
        return { kind: 'taken', size: answer.size, root: answer.root, againInMs: pauseMs };
      case 'conflict': {
        const { conflict: failure, witnessSize } = answer;
        const againInMs = retryIn(claimed, null);
        logger.error(
          { platform, witness, origin: tree.origin, reason: failure, size, witnessSize, retryInMs: againInMs },
          failure === 'ahead'
            ? 'a witness has a larger tree than was ever signed here: the log may have been rolled back'
            : 'a witness refuses the tree: it does not begin with the one that it has',
        );
        return { kind: 'failed', failure, isConflict: true, againInMs };
      }
      case 'failed': {
        const { failure, detail, retryAfterMs } = answer;
        const againInMs = retryIn(claimed, retryAfterMs);
        logger.warn({ platform, witness, reason: failure, detail, retryInMs: againInMs }, 'a witness did not take a checkpoint');
        return { kind: 'failed', failure, isConflict: false, againInMs };
      }
    }
  };

  const handle = async (witness: Witness, claimed: ClaimedWitness): Promise<void> => {
    let record: WitnessRecord = { kind: 'dropped', againInMs: 5 * second };
    try {
      const submission = await submissionOf(claimed);
      if (submission === null) return;
      const answer = await told(witness, submission);
      if (stopping.signal.aborted && answer.kind === 'failed') record = { kind: 'dropped', againInMs: 0 };
      else if (await isOvertaken(answer, submission)) record = { kind: 'dropped', againInMs: pauseMs };
      else {
        record = await recordOf(claimed, submission, answer);
        context.onTold(answer.kind);
        if (claimed.failures > 0 && record.kind === 'taken')
          logger.info({ platform: claimed.platform, witness: witness.id, size: record.size }, 'a witness takes checkpoints again');
      }
    } finally {
      await insist(() => recordWitness(pool, claimed, record), { forMs: 10 * second });
    }
  };

  const lane = async (witness: Witness): Promise<void> => {
    while (!stopping.signal.aborted) {
      const claimed = await claimWitness(pool, { witness: witness.id, claimMs });
      if (claimed === null) return;
      await handle(witness, claimed);
    }
  };
  const round = async (witness: Witness): Promise<void> => {
    await ensureWitnesses(pool, [witness.id]);
    const ended = await Promise.allSettled(Array.from({ length: lanes }, () => lane(witness)));
    const [failure] = ended.filter(({ status }) => status === 'rejected') as readonly PromiseRejectedResult[];
    if (failure !== undefined) throw failure.reason;
  };

  return {
    tell: async (witness) => {
      if (stopping.signal.aborted) return;
      const telling = round(witness);
      const settled = telling.catch(() => {}).finally(() => open.delete(settled));
      open.add(settled);
      await telling;
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(open);
    },
  };
};
