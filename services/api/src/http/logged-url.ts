import { redactUrl } from '@grantlog/runtime';

const limit = 2_048;
const redacted = '[redacted]';

/** The bytes that escapes stand for, one character each: enough to find names, and a half escape cannot hide the rest. */
const plainBytes = (text: string): string =>
  text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A `?` or `#` that is still escaped: parameters of a URL that is nested deeper than this looks. */
const deeper = /%(?:25)*(?:3f|23)/i;

/** Whether a parameter's value is a URL that may hold a secret, in its own parameters or anywhere below. */
const mayHoldSecret = (value: string): boolean => {
  const [before = '', ...parameters] = value.split(/[?#&]/);
  return (
    deeper.test(value) || redactUrl(before) !== before || parameters.some((parameter) => redactUrl(`?${parameter}`) !== `?${parameter}`)
  );
};

const redactWithin = (pair: string): string => {
  const at = pair.indexOf('=');
  return at !== -1 && mayHoldSecret(plainBytes(pair.slice(at + 1))) ? `${pair.slice(0, at + 1)}${redacted}` : pair;
};

/** Paths end in a secret where an agent's session is meant: the person's link, and the id that the agent polls with. */
const secretSegment = /(?<!\/oauth)(\/(?:connect|rest\/signup)\/)(?!status$)[^/]+/g;
/** What has the form of a token of ours, wherever in a path somebody has put it. */
const tokenForm = /[a-z][a-z0-9]{1,9}_[cargsl][A-Za-z0-9_-]{40,}/g;

const redactPath = (path: string): string => path.replace(secretSegment, `$1${redacted}`).replace(tokenForm, redacted);

/**
 * A request's URL as the log shows it: secret parameters redacted, and whole every value that is a URL with secrets in
 * it. Whoever mistakes a callback for a redirect URI sends a code that way.
 *
 * Looks at no more than 2,048 characters and one level deep, for anybody may send any URL: the work is linear, and what
 * stands deeper is redacted unseen.
 */
export const loggedUrl = (url: string): string => {
  const shown = url.length > limit ? `${url.slice(0, limit)}…` : url;
  const [, before = '', query, fragment] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(shown) ?? [];
  return redactUrl(
    `${redactPath(before)}${query === undefined ? '' : `?${query.split('&').map(redactWithin).join('&')}`}${fragment ?? ''}`,
  );
};

/** The same of a request that is passed on: its parameters are a resource's own, so nobody here knows which are secret. */
export const loggedForeignUrl = (url: string): string => loggedUrl(url.replace(/\?.*$/s, `?${redacted}`));
