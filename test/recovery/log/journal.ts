import { readFileSync } from 'node:fs';

/** What a writer means to append: every stream with the version it expects. */
export type Intent = {
  readonly kind: 'intent';
  readonly commit: string;
  readonly writes: readonly { readonly stream: string; readonly expected: number; readonly events: number }[];
  readonly reads: readonly { readonly stream: string; readonly expected: number }[];
};

/** What the log answered. `unknown` is the 503: it may stand or not, but wholly or not at all. */
export type Answer = {
  readonly kind: 'answer';
  readonly commit: string;
  readonly outcome: 'appended' | 'conflict' | 'refused' | 'unknown';
  readonly position: number | null;
};

export type JournalLine = Intent | Answer;

/** The lines of one writer. A writer that was killed may have left its last line half written; it had not acted on it yet. */
export const readJournal = (path: string): readonly JournalLine[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JournalLine);
