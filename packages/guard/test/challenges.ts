import type { GuardOutcome } from '../src/index.ts';

export type Challenge = { readonly scheme: string; readonly parameters: Readonly<Record<string, string>> };

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const quoted = /"((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*)"/y;

const take = (pattern: RegExp, text: string, at: number): RegExpExecArray => {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) throw new SyntaxError(`no challenge at ${at} of ${text}`);
  return match;
};

/** Reads one challenge with auth-params by the grammar of RFC 9110 §11.2, and nothing more tolerant. */
export const parseChallenge = (header: string): Challenge => {
  const scheme = take(token, header, 0)[0];
  const parameters: Record<string, string> = {};
  let at = scheme.length;
  if (header[at] !== ' ') throw new SyntaxError(`no space behind the scheme of ${header}`);
  at += 1;
  for (;;) {
    const name = take(token, header, at)[0];
    at += name.length;
    if (header[at] !== '=') throw new SyntaxError(`no value of ${name}`);
    const value = take(quoted, header, at + 1);
    if (name in parameters) throw new SyntaxError(`${name} repeats`);
    parameters[name] = (value[1] ?? '').replaceAll(/\\(.)/g, '$1');
    at += 1 + value[0].length;
    if (at === header.length) return { scheme, parameters };
    if (header.slice(at, at + 2) !== ', ') throw new SyntaxError(`no comma at ${at} of ${header}`);
    at += 2;
  }
};

/** The challenges of an outcome, in order. */
export const challengesOf = (outcome: GuardOutcome): readonly Challenge[] =>
  outcome.headers.filter(([name]) => name === 'WWW-Authenticate').map(([, value]) => parseChallenge(value));

/** The one value of another header; undefined where it is missing. */
export const headerOf = (outcome: GuardOutcome, wanted: string): string | undefined => {
  const values = outcome.headers.filter(([name]) => name === wanted);
  if (values.length > 1) throw new Error(`${wanted} repeats`);
  return values[0]?.[1];
};
