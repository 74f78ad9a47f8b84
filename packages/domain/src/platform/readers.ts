/** One thing wrong with a document: where, what, and what to do about it. */
export type DocumentProblem = { readonly path: string; readonly problem: string; readonly fix: string };

/** What a reader answers for a value it has complained about. Never part of a finished document. */
export const unreadable: unique symbol = Symbol('unreadable');
type Unreadable = typeof unreadable;

/** Reads one JSON value, or appends what is wrong with it to `problems` and goes on, so that all is told at once. */
export type Reader<T> = (value: unknown, path: string, problems: DocumentProblem[]) => T | Unreadable;

/** A member of an object; without `fallback` it must be there. */
export type Member<T> = { readonly read: Reader<T>; readonly fallback?: { readonly value: T } };

export const needed = <T>(read: Reader<T>): Member<T> => ({ read });
export const optional = <T>(read: Reader<T>, value: T): Member<T> => ({ read, fallback: { value } });

export const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, path, problems) =>
    value === null ? null : read(value, path, problems);

/** Text without control characters or lone surrogates, which Postgres refuses or pages show wrongly. */
export const text =
  (rule: { readonly max: number; readonly accepts?: (value: string) => boolean; readonly expected: string }): Reader<string> =>
  (value, path, problems) => {
    const plain =
      typeof value === 'string' && value.length > 0 && value.length <= rule.max && value.isWellFormed() && !/\p{Cc}/u.test(value);
    if (plain && (rule.accepts?.(value) ?? true)) return value;
    problems.push({ path, problem: `is not ${rule.expected}`, fix: `Give ${rule.expected}, at most ${rule.max} characters.` });
    return unreadable;
  };

export const whole =
  (min: number, max: number): Reader<number> =>
  (value, path, problems) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push({ path, problem: 'is not a whole number in range', fix: `Give a whole number from ${min} to ${max}.` });
    return unreadable;
  };

export const flag: Reader<boolean> = (value, path, problems) => {
  if (typeof value === 'boolean') return value;
  problems.push({ path, problem: 'is not a boolean', fix: 'Give true or false.' });
  return unreadable;
};

export const oneOf =
  <const T extends string>(...values: readonly T[]): Reader<T> =>
  (value, path, problems) => {
    const found = values.find((known) => known === value);
    if (found !== undefined) return found;
    problems.push({ path, problem: 'is not one of the known values', fix: `Use ${values.map((known) => `"${known}"`).join(' or ')}.` });
    return unreadable;
  };

/** A list without two of the same `key`. */
export const list =
  <T>(read: Reader<T>, rule: { readonly max: number; readonly min?: number; readonly key: (item: T) => string }): Reader<readonly T[]> =>
  (value, path, problems) => {
    const { min = 0, max, key } = rule;
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      problems.push({ path, problem: 'is not a list of the right length', fix: `Give a list of ${min} to ${max} items.` });
      return unreadable;
    }
    const seen = new Set<string>();
    const items: T[] = [];
    for (const [index, item] of value.entries()) {
      const at = `${path}[${index}]`;
      const result = read(item, at, problems);
      if (result === unreadable) continue;
      if (seen.has(key(result))) problems.push({ path: at, problem: `repeats "${key(result)}"`, fix: 'List each one once.' });
      seen.add(key(result));
      items.push(result);
    }
    return items.length === value.length ? items : unreadable;
  };

export type Members<T> = { readonly [K in keyof T]: Member<T[K]> };

/** The members that could be read, of an object with exactly these: an unknown key is a problem, not something to ignore. */
export const readableMembers =
  <T extends object>(members: Members<T>): Reader<Partial<T>> =>
  (value, path, problems) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push({ path: path === '' ? 'document' : path, problem: 'is not an object', fix: 'Give a JSON object.' });
      return unreadable;
    }
    const under = (key: string): string => (path === '' ? key : `${path}.${key}`);
    const known = Object.entries<Member<unknown>>(members);
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(members, key)) continue;
      problems.push({
        path: under(key),
        problem: 'is not a known key',
        fix: `Remove it; known here: ${known.map(([name]) => name).join(', ')}.`,
      });
    }
    const results = known.map(([key, { read, fallback }]): [string, unknown] => {
      // Own members only: `toString` of the prototype is not something the document says.
      if (Object.hasOwn(value, key)) return [key, read((value as Record<string, unknown>)[key], under(key), problems)];
      if (fallback !== undefined) return [key, fallback.value];
      problems.push({ path: under(key), problem: 'is missing', fix: 'Add it; it has no default.' });
      return [key, unreadable];
    });
    // Each was read by the reader of its own member of T.
    return Object.fromEntries(results.filter(([, result]) => result !== unreadable)) as Partial<T>;
  };

/** Whether every member could be read. */
export const complete = <T extends object>(read: Partial<T>, members: Members<T>): read is T =>
  Object.keys(members).every((key) => Object.hasOwn(read, key));

/** An object with exactly these members, all of them readable. */
export const object =
  <T extends object>(members: Members<T>): Reader<T> =>
  (value, path, problems) => {
    const read = readableMembers(members)(value, path, problems);
    return read !== unreadable && complete(read, members) ? read : unreadable;
  };
