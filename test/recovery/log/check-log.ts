import type { Answer, Intent, JournalLine } from './journal.ts';

/** One row of the log, in the order of positions. */
export type LogRow = { readonly position: number; readonly stream: string; readonly version: number; readonly commit: string };

const perKind = 3;

/**
 * Everything that the log promises, held against what stands in it and what the writers were told. Answers what is broken, in words.
 *
 * - positions 1..N, versions contiguous in every stream;
 * - every commit wholly or not at all, on one run of positions, at the versions that it expected, its dependencies included;
 * - every acknowledged commit once, where the answer said; none that was refused.
 */
export const checkLog = (rows: readonly LogRow[], journal: readonly JournalLine[]): readonly string[] => {
  const broken = new Map<string, string[]>();
  const note = (kind: string, detail: string): void => {
    const details = broken.get(kind) ?? [];
    broken.set(kind, details);
    details.push(detail);
  };

  const intents = new Map(journal.filter((line): line is Intent => line.kind === 'intent').map((intent) => [intent.commit, intent]));
  const standing = new Map<string, LogRow[]>();
  const versions = new Map<string, number>();
  rows.forEach((row, index) => {
    if (row.position !== index + 1) note('positions', `place ${index + 1} holds position ${row.position}`);
    if (row.version !== (versions.get(row.stream) ?? 0) + 1)
      note('versions', `${row.stream} goes from ${versions.get(row.stream) ?? 0} to ${row.version}`);
    const known = standing.get(row.commit);
    if (known === undefined) {
      standing.set(row.commit, [row]);
      const intent = intents.get(row.commit);
      if (intent === undefined) note('strangers', `commit ${row.commit} was never meant`);
      for (const { stream, expected } of [...(intent?.writes ?? []), ...(intent?.reads ?? [])]) {
        const current = versions.get(stream) ?? 0;
        if (current !== expected) note('expectations', `commit ${row.commit} expected ${stream} at ${expected}; it was at ${current}`);
      }
    } else {
      known.push(row);
    }
    versions.set(row.stream, row.version);
  });

  for (const [commit, events] of standing) {
    const first = events[0]?.position ?? 0;
    const meant = intents
      .get(commit)
      ?.writes.flatMap(({ stream, expected, events: count }) =>
        Array.from({ length: count }, (_, index) => `${stream} ${expected + index + 1}`),
      );
    const found = events.map(({ stream, version }) => `${stream} ${version}`);
    if (meant?.join() !== found.join()) note('wholeness', `commit ${commit} stands as ${found.length} of ${meant?.length ?? 0} events`);
    if (events.some(({ position }, index) => position !== first + index)) note('runs', `commit ${commit} is not one run of positions`);
  }

  for (const { commit, outcome, position } of journal.filter((line): line is Answer => line.kind === 'answer')) {
    const first = standing.get(commit)?.[0]?.position ?? null;
    switch (outcome) {
      case 'appended':
        if (first !== position) note('answers', `commit ${commit} was answered position ${position} and stands at ${first ?? 'none'}`);
        break;
      case 'conflict':
      case 'refused':
        if (first !== null) note('answers', `commit ${commit} was answered ${outcome} and stands at ${first}`);
        break;
      case 'unknown':
        break;
    }
  }
  return [...broken].flatMap(([kind, details]) => details.slice(0, perKind).map((detail) => `${kind} (${details.length}): ${detail}`));
};
