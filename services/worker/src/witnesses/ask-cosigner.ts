import { type Egress, type EgressOutcome, tellTenant } from '@grantlog/egress';
import { proveConsistency } from '@grantlog/transparency';
import { parseRetryAfter } from '../webhooks/retry-schedule.ts';
import { readCosignature } from './read-cosignature.ts';
import type { Cosigner, Submission, Told, WitnessFailure } from './witness.ts';

export type AskContext = {
  readonly egress: Pick<Egress, 'request'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

const timeoutMs = 8_000;
/** Sixteen signatures of the longest kind, and more. */
const longestAnswer = 65_536;
/** Requests of one asking: a witness that others tell of the same log may have moved on meanwhile. */
const mostTurns = 3;

const textOf = (body: Uint8Array): string => Buffer.from(body).toString('utf8');

/** The body of a request. The proof is over a tree that the witness has already. */
const writeRequest = (of: { readonly old: number; readonly hashes: readonly Uint8Array[]; readonly note: string }): string =>
  `old ${of.old}\n${of.hashes.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')}\n${of.note}`;

/** The size that a conflict names, null where it names none. */
const sizeOf = ({ headers, body }: Extract<EgressOutcome, { kind: 'response' }>): number | null => {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  const [, digits] = /^(0|[1-9]\d{0,15})\n$/.exec(textOf(body)) ?? [];
  const size = Number(digits);
  return type.trim().toLowerCase() === 'text/x.tlog.size' && Number.isSafeInteger(size) ? size : null;
};

const failed = (failure: WitnessFailure, detail: string, retryAfterMs: number | null = null): Told => ({
  kind: 'failed',
  failure,
  detail,
  retryAfterMs,
});

/**
 * Shows a checkpoint to a witness, with the proof that it goes on from the one that the witness has, and takes its cosignature. Where
 * the witness has another one than is thought, it says which, and is asked again from there.
 *
 * @see https://c2sp.org/tlog-witness
 */
export const askCosigner = async (context: AskContext, witness: Cosigner, submission: Submission): Promise<Told> => {
  const { signed, known, readTile, signal } = submission;
  const { size, note, signedAt } = signed;
  // Where it once had more than there is now, it says so itself, or has begun anew.
  let old = Math.min(known, size);
  for (let turn = 0; turn < mostTurns; turn += 1) {
    const hashes = await proveConsistency({ oldSize: old, newSize: size, readTile });
    const answer = await context.egress.request({
      url: `${witness.url}/add-checkpoint`,
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'user-agent': 'Grantlog-Witness/1' },
      body: writeRequest({ old, hashes, note }),
      timeoutMs,
      maxResponseBytes: longestAnswer,
      signal,
    });
    if (answer.kind !== 'response') return failed('unreachable', tellTenant(answer));
    const now = context.now();
    switch (answer.status) {
      case 200: {
        const found = answer.truncated ? null : readCosignature(textOf(answer.body), { note, signedAt, key: witness.key, now });
        if (found === null) return failed('bad_cosignature', 'its answer has no cosignature of this checkpoint by its key, made by now');
        return { kind: 'cosigned', ...found };
      }
      case 409: {
        const theirs = sizeOf(answer);
        if (theirs === null) return failed('unexpected_answer', 'it answered 409 without the size of its tree');
        if (theirs > size) return { kind: 'conflict', conflict: 'ahead', witnessSize: theirs };
        old = theirs;
        continue;
      }
      case 422:
        return { kind: 'conflict', conflict: 'inconsistent', witnessSize: old };
      case 404:
        return failed('unknown_log', 'it does not know the log: give it the origin and the verifier key of /audit/tree');
      case 403:
        return failed('untrusted_key', 'it does not trust the key: give it the verifier key of /audit/tree');
      default:
        return failed('unexpected_answer', tellTenant(answer), parseRetryAfter(answer.headers['retry-after'], now));
    }
  }
  return failed('unexpected_answer', 'its tree was another one each time');
};
