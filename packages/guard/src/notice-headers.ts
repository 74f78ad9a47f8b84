import { isCount, isText, pageOf } from './members.ts';
import type { HeaderList } from './outcome.ts';

/** RFC 9700 (January 2025) ended the giving of people's passwords to clients (§2.4); older than any sunset, as RFC 9745 §4 asks. */
const deprecatedSince = Date.UTC(2025, 0, 31) / 1000;
const secondsOfDay = 86_400;
const endOfTime = Date.UTC(9999, 11, 31) / 1000;

/** A quoted-string without anything that would need escaping or end the header. */
const quoted = (text: string): string => `"${text.slice(0, 300).replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')}"`;

/**
 * What an answer to HTTP Basic tells of its end: when, how much is left today, and where to read what to do instead.
 * Members that are missing or unusable leave their headers out.
 *
 * @see RFC 8594 §3; RFC 9745 §2; draft-ietf-httpapi-ratelimit-headers; RFC 7234 §5.5 (Warning, obsolete, but shown by clients)
 */
export const noticeHeaders = (notice: unknown): HeaderList => {
  if (typeof notice !== 'object' || notice === null) return [];
  const { message, sunset, limit, remaining, reset, documentation } = notice as Readonly<Record<string, unknown>>;
  const headers: (readonly [string, string])[] = [];
  if (isCount(sunset) && sunset >= deprecatedSince && sunset <= endOfTime) {
    headers.push(['Deprecation', `@${deprecatedSince}`], ['Sunset', new Date(sunset * 1000).toUTCString()]);
  }
  const page = pageOf(documentation);
  if (page !== null) headers.push(['Link', `<${page}>; rel="sunset"`]);
  if (isCount(limit)) headers.push(['RateLimit-Policy', `"exploration";q=${limit};w=${secondsOfDay}`]);
  if (isCount(remaining)) headers.push(['RateLimit', `"exploration";r=${remaining}${isCount(reset) ? `;t=${reset}` : ''}`]);
  if (isText(message)) headers.push(['Warning', `299 - ${quoted(message)}`]);
  return headers;
};
