export type TextProblem = { readonly path: readonly (string | number)[]; readonly problem: string; readonly fix: string };

const wrong = (text: string): string | null => {
  if (!text.isWellFormed()) return 'contains half of a surrogate pair';
  return /\p{Cc}/u.test(text) ? 'contains a control character' : null;
};

/**
 * The strings, keys included, that the log cannot hold or a page would show wrongly: NUL and lone surrogates, which
 * Postgres refuses, and other control characters. Walks without recursion: the depth of a body is its sender's choice.
 */
export const unstorableText = (value: unknown): readonly TextProblem[] => {
  const found: TextProblem[] = [];
  const open: { readonly value: unknown; readonly path: TextProblem['path'] }[] = [{ value, path: [] }];
  const judge = (text: string, path: TextProblem['path']): void => {
    const problem = wrong(text);
    if (problem !== null) found.push({ path, problem, fix: 'Send text of one line, as well-formed Unicode.' });
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path } = next;
    if (typeof next.value === 'string') judge(next.value, path);
    if (typeof next.value !== 'object' || next.value === null) continue;
    const isList = Array.isArray(next.value);
    for (const [key, member] of Object.entries(next.value)) {
      if (!isList) judge(key, [...path, key.replaceAll(/\p{Cc}|\p{Cs}/gu, '\ufffd')]);
      open.push({ value: member, path: [...path, isList ? Number(key) : key] });
    }
  }
  return found;
};
