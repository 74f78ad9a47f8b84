import { OAuthError } from './oauth-error.ts';

/** The parameters of one request, read once at the edge. */
export type RequestParameters<Name extends string> = {
  /** The value, or undefined where it is omitted or empty. */
  readonly get: (name: Exclude<Name, 'resource'>) => string | undefined;
  /** @throws OAuthError `invalid_request` naming the parameter where it is omitted or empty. */
  readonly require: (name: Exclude<Name, 'resource'>) => string;
  /** Every value of the one parameter that may repeat (RFC 8707 §2), in order; empty where omitted. */
  readonly all: (name: Extract<Name, 'resource'>) => readonly string[];
};

const defaultLength = 2_048;
const maxResources = 8;

/** Characters, for the parameters that carry signed documents, lists or a client's own data. */
const lengthOf = new Map([
  ['assertion', 16_384],
  ['access_token', 8_192],
  ['actor_token', 16_384],
  ['claims', 8_192],
  ['client_assertion', 16_384],
  ['id_token_hint', 16_384],
  ['request', 16_384],
  ['scope', 4_096],
  ['state', 8_192],
  ['subject_token', 16_384],
  ['token', 8_192],
]);

const invalid = (description: string): OAuthError => new OAuthError('invalid_request', { description });

const checkText = (name: string, value: unknown): string => {
  if (typeof value !== 'string') throw invalid(`${name} must be a string`);
  // Postgres stores neither; found here, they cost one request and not a batch.
  if (value.includes('\0') || !value.isWellFormed()) throw invalid(`${name} contains characters that are not allowed`);
  const limit = lengthOf.get(name) ?? defaultLength;
  if (value.length > limit) throw invalid(`${name} is longer than ${limit} characters`);
  return value;
};

/**
 * Reads the parameters of a query string or form body that a framework has already decoded.
 *
 * A repeated parameter (an array, however long) is refused, except `resource`. An empty value counts as omitted.
 * Names outside `allowed` are ignored, also when they repeat.
 *
 * @throws OAuthError `invalid_request` naming the first parameter at fault.
 * @see RFC 6749 §3.1, §3.2; RFC 8707 §2
 */
export const readParameters = <const Name extends string>(source: unknown, allowed: readonly Name[]): RequestParameters<Name> => {
  if (source !== undefined && source !== null && (typeof source !== 'object' || Array.isArray(source))) {
    throw invalid('the parameters must be form-urlencoded');
  }
  const given = new Map<string, unknown>(Object.entries(source ?? {}));
  const single = new Map<string, string>();
  let resources: readonly string[] = [];

  for (const name of allowed) {
    const value = given.get(name);
    if (value === undefined) continue;
    if (name === 'resource') {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (values.length > maxResources) throw invalid(`resource is repeated more than ${maxResources} times`);
      resources = values.map((each) => checkText(name, each)).filter((each) => each !== '');
      continue;
    }
    if (Array.isArray(value)) throw invalid(`${name} is repeated`);
    const text = checkText(name, value);
    if (text !== '') single.set(name, text);
  }

  return {
    get: (name) => single.get(name),
    require: (name) => {
      const value = single.get(name);
      if (value === undefined) throw invalid(`${name} is required`);
      return value;
    },
    all: () => resources,
  };
};
