import { OAuthError } from './oauth-error.ts';
import { splitUri } from './uri-syntax.ts';

type Json = Readonly<Record<string, unknown>>;

/** @see RFC 7591 §3.2.2 */
export const refuseMetadata = (description: string): OAuthError => new OAuthError('invalid_client_metadata', { description });

/** What the member holds; undefined where it is absent, null or an empty text. */
const given = (json: Json, name: string): unknown => {
  const value = Object.hasOwn(json, name) ? json[name] : undefined;
  return value === null || value === '' ? undefined : value;
};

const checkText = (value: unknown, name: string, max: number): string => {
  if (typeof value !== 'string') throw refuseMetadata(`${name} must be a string`);
  // Postgres stores neither.
  if (value.includes('\0') || !value.isWellFormed()) throw refuseMetadata(`${name} contains characters that are not allowed`);
  if (value.length > max) throw refuseMetadata(`${name} is longer than ${max} characters`);
  return value;
};

export const readText = (json: Json, name: string, { max }: { readonly max: number }): string | null => {
  const value = given(json, name);
  return value === undefined ? null : checkText(value, name, max);
};

/** Each once. An empty list is an empty list: whoever sends it says that there are none. */
export const readStrings = (json: Json, name: string, { max }: { readonly max: number }): readonly string[] | null => {
  const value = given(json, name);
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw refuseMetadata(`${name} must be a list of strings`);
  if (value.length > max) throw refuseMetadata(`${name} has more than ${max} values`);
  return [...new Set(value.map((each: unknown) => checkText(each, `${name} contains a value that`, 2_048)))];
};

export const readOneOf = <const Value extends string>(json: Json, name: string, values: readonly Value[]): Value | null => {
  const text = readText(json, name, { max: 100 });
  if (text === null) return null;
  const found = values.find((value) => value === text);
  if (found === undefined) throw refuseMetadata(`${name} must be ${values.join(' or ')}`);
  return found;
};

export const readSwitch = (json: Json, name: string): boolean | null => {
  const value = given(json, name);
  if (value === undefined) return null;
  if (typeof value !== 'boolean') throw refuseMetadata(`${name} must be true or false`);
  return value;
};

/** Controls, and what turns the direction of the text around it: a name is read by people who are asked to trust it. */
const breaks = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu;
/** What nobody sees, blanks included that are no white space; and marks heaped on a letter until they cover the lines around it. */
const invisible = /[\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}\u2800]|(?<=\p{M}{4})\p{M}+/gu;
const longestName = 100;

/** One line for people. What is too long is cut: nobody's connection should fail over a name. */
export const readName = (json: Json, name: string): string | null => {
  const text = readText(json, name, { max: 2_048 });
  if (text === null) return null;
  const line = text.replaceAll(invisible, '').replaceAll(breaks, ' ').trim();
  return line === '' ? null : [...line].slice(0, longestName).join('').trimEnd();
};

const isLoopbackHost = (host: string): boolean => host === 'localhost' || host === '127.0.0.1' || host === '[::1]';

/** A URL that a browser opens as a page; `mayBePlain` where plain http is allowed beyond this machine as well. */
export const readWebUrl = (json: Json, name: string, { mayBePlain }: { readonly mayBePlain: boolean }): string | null => {
  const text = readText(json, name, { max: 2_048 });
  if (text === null) return null;
  const parts = splitUri(text);
  const url = URL.parse(text);
  const isPlain = url?.protocol === 'http:';
  if (
    parts === null ||
    url === null ||
    parts.authority === null ||
    parts.authority.includes('@') ||
    !(isPlain || url.protocol === 'https:')
  )
    throw refuseMetadata(`${name} must be an absolute https URL`);
  if (isPlain && !mayBePlain && !isLoopbackHost(url.hostname)) throw refuseMetadata(`${name} must be https`);
  return text;
};
