export type StorageProblem = { readonly path: readonly (string | number)[]; readonly problem: string; readonly fix: string };

/** No schema here is half as deep; without a bound a body of brackets alone would keep the process busy for minutes. */
const deepest = 32;

const wrong = (text: string): string | null => {
  if (!text.isWellFormed()) return 'contains half of a surrogate pair';
  return /\p{Cc}/u.test(text) ? 'contains a control character' : null;
};

/**
 * The strings, keys included, that the log cannot hold or a page would show wrongly: NUL and lone surrogates, which
 * Postgres refuses, and other control characters. Numbers that are no longer exact. What is nested too deep is refused unread.
 */
export const unstorable = (value: unknown): readonly StorageProblem[] => {
  const found: StorageProblem[] = [];
  const open: { readonly value: unknown; readonly path: StorageProblem['path'] }[] = [{ value, path: [] }];
  const judge = (text: string, path: StorageProblem['path']): void => {
    const problem = wrong(text);
    if (problem !== null) found.push({ path, problem, fix: 'Send text of one line, as well-formed Unicode.' });
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path } = next;
    if (typeof next.value === 'string') judge(next.value, path);
    if (typeof next.value === 'number' && Math.abs(next.value) > Number.MAX_SAFE_INTEGER)
      found.push({ path, problem: 'is too large a number', fix: `Send one of at most ${Number.MAX_SAFE_INTEGER}.` });
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (path.length >= deepest) {
      found.push({ path: path.slice(0, 3), problem: `is nested deeper than ${deepest} levels`, fix: 'Send a flatter value.' });
      continue;
    }
    const isList = Array.isArray(next.value);
    for (const [key, member] of Object.entries(next.value)) {
      if (!isList) judge(key, [...path, key.replaceAll(/\p{Cc}|\p{Cs}/gu, '\ufffd')]);
      open.push({ value: member, path: [...path, isList ? Number(key) : key] });
    }
  }
  return found;
};
