import { parseNote, readCosignatures, readVerifierKey, type VerifierKey } from '@grantlog/transparency';
import { UsageError } from '../../command.ts';

/** The keys of `--witness`. @throws UsageError where one is none of a witness */
export const witnessKeys = (texts: readonly string[]): readonly VerifierKey[] =>
  texts.map((text) => {
    const key = readVerifierKey(text.trim());
    if (key === null || key.algorithm === 'ed25519')
      throw new UsageError('--witness is no verifier key of a witness; take it from whoever runs the witness');
    return key;
  });

/** What witnesses have said of a log, in words. */
export type WitnessVerdict = { readonly isComplete: boolean; readonly lines: readonly string[] };

/** Looks for a cosignature of each witness on any of these checkpoints, which have been verified as the log's. */
export const judgeWitnesses = (checkpoints: readonly string[], witnesses: readonly VerifierKey[]): WitnessVerdict => {
  const notes = checkpoints.flatMap((checkpoint) => parseNote(checkpoint) ?? []);
  const found = witnesses.map((witness) => ({
    witness,
    // The largest tree that it has signed.
    seen: notes
      .flatMap((note) => readCosignatures(note, [witness]).map(({ timestampSeconds }) => ({ timestampSeconds, size: sizeOf(note.text) })))
      .sort((one, other) => other.size - one.size)[0],
  }));
  return {
    isComplete: found.every(({ seen }) => seen !== undefined),
    lines: found.map(({ witness, seen }) =>
      seen === undefined
        ? `Not cosigned by ${witness.name}: nothing shows that this witness has seen it`
        : `Cosigned by ${witness.name} at ${new Date(seen.timestampSeconds * 1_000).toISOString()}: ${seen.size} events`,
    ),
  };
};

const sizeOf = (text: string): number => Number(text.split('\n')[1]);
