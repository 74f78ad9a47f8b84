import type { AuditCheckpoint, AuditTree } from '@grantlog/postgres';
import type { TileReader, VerifierKey } from '@grantlog/transparency';

/** Whoever keeps each signed checkpoint outside. `id` names it in the database. */
export type Witness = FileWitness | Cosigner;

/** A folder with a file for each platform: each checkpoint is put at its end. */
export type FileWitness = { readonly kind: 'file'; readonly id: `file:${string}`; readonly folder: string };

/** A witness by C2SP tlog-witness, which signs what it was shown. */
export type Cosigner = {
  readonly kind: 'cosigner';
  /** Its verifier key, as text. */
  readonly id: string;
  readonly key: VerifierKey;
  /** Its submission prefix, without a slash at the end. */
  readonly url: string;
};

/** What a witness is told: a tree, as it is signed. */
export type Submission = {
  readonly tree: AuditTree;
  readonly signed: AuditCheckpoint;
  /** Of the tree that the witness is thought to have; 0 where that is none. */
  readonly known: number;
  readonly readTile: TileReader;
  /** Ends the telling early. */
  readonly signal: AbortSignal;
};

/** Why a witness did not take a tree that it may take later. Fixed words, which anybody may read. */
export type WitnessFailure = 'unknown_log' | 'untrusted_key' | 'bad_cosignature' | 'unexpected_answer' | 'unreachable' | 'unwritable';

/** `ahead`: the witness has a larger tree than was ever signed here. `inconsistent`: ours does not begin with the one that it has. */
type WitnessConflict = 'ahead' | 'inconsistent';

/** How a witness answered. */
export type Told =
  | { readonly kind: 'cosigned'; readonly line: string; readonly timestampSeconds: number }
  /** It has what was signed up to this size. */
  | { readonly kind: 'kept'; readonly size: number; readonly root: Uint8Array }
  | { readonly kind: 'conflict'; readonly conflict: WitnessConflict; readonly witnessSize: number }
  | {
      readonly kind: 'failed';
      readonly failure: WitnessFailure;
      /** For the log of the process: words of ours and a status, nothing that the witness wrote. */
      readonly detail: string;
      readonly retryAfterMs: number | null;
    };
