/** RFC 9700 (January 2025) ended the giving of people's passwords to clients (§2.4); older than any sunset, as RFC 9745 §4 asks. */
const deprecatedSince = Date.UTC(2025, 0, 31) / 1000;

const secondsOfDay = 86_400;
const endOfTime = Date.UTC(9999, 11, 31) / 1000;

/** What of HTTP Basic's end and of today's rest is known; what is missing leaves its headers out. */
type ExplorationNotice = {
  readonly message?: string | undefined;
  /** Whole seconds since the epoch. */
  readonly sunset?: number | undefined;
  /** Requests a day, and how many of them are left. */
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  /** Seconds until the day ends. */
  readonly reset?: number | undefined;
  /** An absolute URL. */
  readonly documentation?: string | null | undefined;
};

/** A quoted-string without anything that would need escaping or end the header. */
const quoted = (text: string): string => `"${text.slice(0, 300).replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`;

/**
 * What an answer to HTTP Basic tells of its end and of what is left today, and where to read what to do instead.
 *
 * @see RFC 8594 §3; RFC 9745 §2; draft-ietf-httpapi-ratelimit-headers; RFC 7234 §5.5 (Warning, obsolete, but shown by clients)
 */
export const explorationHeaders = (notice: ExplorationNotice): readonly (readonly [name: string, value: string])[] => {
  const { message, sunset, limit, remaining, reset, documentation } = notice;
  const headers: (readonly [string, string])[] = [];
  if (sunset !== undefined && sunset >= deprecatedSince && sunset <= endOfTime) {
    headers.push(['Deprecation', `@${deprecatedSince}`], ['Sunset', new Date(sunset * 1000).toUTCString()]);
  }
  if (typeof documentation === 'string') headers.push(['Link', `<${documentation}>; rel="sunset"`]);
  if (limit !== undefined) headers.push(['RateLimit-Policy', `"exploration";q=${limit};w=${secondsOfDay}`]);
  if (remaining !== undefined) headers.push(['RateLimit', `"exploration";r=${remaining}${reset === undefined ? '' : `;t=${reset}`}`]);
  if (message !== undefined) headers.push(['Warning', `299 - ${quoted(message)}`]);
  return headers;
};
