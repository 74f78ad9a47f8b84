const redacted = '[redacted]';

/** Names compare without case, dashes and underscores: `set-cookie`, `setCookie` and `Set_Cookie` are one. */
const normalise = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const secretNames: ReadonlySet<string> = new Set([
  'code',
  'devicecode',
  'email',
  'idtokenhint',
  'ip',
  'loginhint',
  'logouthint',
  'otp',
  'privatekey',
  'request',
  'requesturi',
  'sessionid',
  'totp',
  'usercode',
]);
const secretEndings = /(?:assertion|authorization|cookie|password|secret|secrets|token|tokens|verifier)$/;

const isSecretName = (name: string): boolean => {
  const normal = normalise(name);
  return secretNames.has(normal) || secretEndings.test(normal);
};

const decodeName = (name: string): string => {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
};

const redactParameters = (query: string): string =>
  query
    .split('&')
    .map((pair) => {
      const [name = ''] = pair.split('=', 1);
      return pair.length > name.length && isSecretName(decodeName(name)) ? `${name}=${redacted}` : pair;
    })
    .join('&');

/** A URL, absolute or not, with the values of secret parameters and any password replaced. Its other bytes stay. */
export const redactUrl = (url: string): string => {
  const [, before = '', query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(url) ?? [];
  return [
    before.replace(/\/\/[^/@]*@/, `//${redacted}@`),
    query === undefined ? '' : `?${redactParameters(query)}`,
    fragment === undefined ? '' : `#${redactParameters(fragment)}`,
  ].join('');
};

const textLimit = 4_096;
const longestLastWord = 512;

/** What of a text is looked at. A credential that is cut in half is not known for one, so its word goes with it. */
const cut = (text: string): string => {
  if (text.length <= textLimit) return text;
  const kept = text.slice(0, textLimit);
  const wordAt = kept.slice(-longestLastWord).search(/\s\S*$/);
  return `${wordAt === -1 ? kept : kept.slice(0, textLimit - longestLastWord + wordAt + 1)}…`;
};

// A scheme begins where no longer one could, and is short: else a run of letters would be read again from each of them.
const urlInText = /(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\/\/|\/)[^\s"'<>]*/gi;
const schemeInText = /\b(bearer|basic|dpop)\s+[A-Za-z0-9\-._~+/]{8,}=*/gi;

/** Free text with the URLs in it redacted, and credentials of an Authorization header replaced. Ends after 4,096 characters with `…`. */
export const redactText = (text: string): string => cut(text).replaceAll(schemeInText, `$1 ${redacted}`).replaceAll(urlInText, redactUrl);

const maxDepth = 8;

/** What a log may say of an error. Never its other members: drivers and clients keep bodies, rows and queries there. */
const redactError = (error: Error, depth: number): unknown => ({
  type: error.name,
  message: redactText(error.message),
  stack: redactText(error.stack ?? ''),
  ...('code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? { code: error.code } : {}),
  ...('reason' in error && typeof error.reason === 'string' ? { reason: redactText(error.reason) } : {}),
  ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
  ...(error instanceof AggregateError ? { errors: redactValue(error.errors, depth + 1) } : {}),
});

const isPlain = (given: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || prototype === Object.prototype;
};

/** Requests and replies by their first line; of any other instance only its kind, for nobody knows what it holds. */
const describeInstance = (given: object): unknown => {
  if ('method' in given && 'url' in given) return { method: redactValue(given.method), url: redactValue(given.url) };
  if ('statusCode' in given) return { statusCode: redactValue(given.statusCode) };
  return `[${given.constructor.name}]`;
};

const redactMember = (name: string, member: unknown, depth: number): unknown => {
  const tellsNothing =
    member === undefined || member === null || typeof member === 'boolean' || (name === 'code' && typeof member === 'number');
  return isSecretName(name) && !tellsNothing ? redacted : redactValue(member, depth);
};

/** Any value as a log may show it, at every depth. */
export const redactValue = (given: unknown, depth = 0): unknown => {
  if (typeof given === 'string') return redactText(given);
  if (typeof given === 'bigint') return String(given);
  if (typeof given !== 'object' || given === null) return given;
  if (depth >= maxDepth) return '[too deep]';
  if (given instanceof Error) return redactError(given, depth);
  if (given instanceof URL) return redactUrl(cut(given.href));
  if (given instanceof Date) return Number.isNaN(given.getTime()) ? null : given.toISOString();
  if (ArrayBuffer.isView(given)) return `[${given.byteLength} bytes]`;
  if (Array.isArray(given)) return given.map((each) => redactValue(each, depth + 1));
  if (!isPlain(given)) return describeInstance(given);
  return Object.fromEntries(Object.entries(given).map(([name, member]) => [name, redactMember(name, member, depth + 1)]));
};
