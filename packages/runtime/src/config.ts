import { readFileSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with one setting and what to do about it. Never contains the value: it may be a secret. */
export type ConfigProblem = { readonly setting: string; readonly wrong: string; readonly fix: string };

export type Parsed<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'wrong'; readonly wrong: string };

/** One environment variable: how to read it, and what holds where it is not set. */
export type Setting<T> = {
  readonly name: string;
  readonly parse: (text: string) => Parsed<T>;
  /** What to do, for a person who sees that it is missing or wrong. */
  readonly fix: string;
  readonly absent: { readonly kind: 'required' } | { readonly kind: 'value'; readonly value: T };
};

/** Settings by the names that they have in a configuration. */
export type Spec = Readonly<Record<string, Setting<unknown>>>;

/** What a set of settings reads as. */
export type Values<S extends Spec> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** The environment does not make a configuration. The message lists every problem with its fix. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ setting, wrong, fix }) => `  ${setting} ${wrong}. ${fix}.`);
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

type Found =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'problem'; readonly problem: ConfigProblem };

const find = (env: Environment, name: string): Found => {
  // An empty variable is what compose files and shells make of an unset one.
  const direct = env[name] === '' ? undefined : env[name];
  const fileSetting = `${name}_FILE`;
  const path = env[fileSetting] === '' ? undefined : env[fileSetting];
  if (path === undefined) return direct === undefined ? { kind: 'absent' } : { kind: 'text', text: direct };
  if (direct !== undefined) {
    return { kind: 'problem', problem: { setting: name, wrong: `is set, and ${fileSetting} is set too`, fix: 'Keep one of the two' } };
  }
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text !== '') return { kind: 'text', text };
    return { kind: 'problem', problem: { setting: fileSetting, wrong: `names an empty file (${path})`, fix: 'Write the value into it' } };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const fix = 'Check the path and that this user may read it';
    return { kind: 'problem', problem: { setting: fileSetting, wrong: `names a file that cannot be read (${path}: ${why})`, fix } };
  }
};

/** Reads what can be read, and every problem. A key with a problem is absent from the values. */
export const collectConfig = <const S extends Spec>(
  env: Environment,
  spec: S,
): { readonly values: Partial<Values<S>>; readonly problems: readonly ConfigProblem[] } => {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(spec)) {
    const found = find(env, setting.name);
    if (found.kind === 'problem') problems.push(found.problem);
    else if (found.kind === 'text') {
      const parsed = setting.parse(found.text.trim());
      if (parsed.kind === 'value') values[key] = parsed.value;
      else problems.push({ setting: setting.name, wrong: parsed.wrong, fix: setting.fix });
    } else if (setting.absent.kind === 'required') problems.push({ setting: setting.name, wrong: 'is not set', fix: setting.fix });
    else values[key] = setting.absent.value;
  }
  // Each value came from the setting of the same key.
  return { values: values as Partial<Values<S>>, problems };
};

/**
 * Reads settings from the environment. `NAME_FILE` names a file that holds the value of `NAME`.
 *
 * @throws ConfigError with all problems at once.
 */
export const readConfig = <const S extends Spec>(env: Environment, spec: S): Values<S> => {
  const { values, problems } = collectConfig(env, spec);
  if (problems.length > 0) throw new ConfigError(problems);
  // Without problems no key is absent.
  return values as Values<S>;
};
