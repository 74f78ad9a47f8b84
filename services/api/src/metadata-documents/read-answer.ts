import { type EgressOutcome, tellTenant } from '@grantlog/egress';
import { OAuthError } from '@grantlog/protocol';

/** Why there is no document. `why` is fixed text that anybody may read: it names no address and maps no network. */
export type Unavailable = {
  readonly outcome: 'unavailable';
  readonly why: string;
  /** For the log alone. */
  readonly reason: string;
};

export type ReadAnswer<T> = { readonly outcome: 'read'; readonly value: T } | Unavailable;

export const unavailable = (why: string, reason = why): Unavailable => ({ outcome: 'unavailable', why, reason });

const reasonOf = (outcome: Exclude<EgressOutcome, { kind: 'response' }>): string =>
  outcome.kind === 'refused' ? `the request was not sent: ${outcome.why}` : `the request failed: ${outcome.reason}`;

const isJson = (contentType: string): boolean => /^application\/(?:[\w.-]+\+)?json$/i.test(contentType.split(';', 1)[0]?.trim() ?? '');

/** Undefined for what is no JSON in UTF-8. */
const parseJson = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
};

/**
 * The document that a server answered with: JSON under its own media type, whole, with status 200 and nothing else. What
 * is wrong with it is said in fixed words that repeat nothing of the answer.
 *
 * @param read throws an OAuthError, whose description says what is wrong with the document.
 * @see draft-ietf-oauth-client-id-metadata-document §4
 */
export const readAnswer = <T>(
  outcome: EgressOutcome,
  { read, maxBytes }: { readonly read: (json: unknown) => T; readonly maxBytes: number },
): ReadAnswer<T> => {
  if (outcome.kind !== 'response') return unavailable(tellTenant(outcome), reasonOf(outcome));
  const { status, headers, body, truncated } = outcome;
  if (status >= 300 && status < 400) return unavailable('The server redirects to another address, and redirects are not followed');
  if (status !== 200) return unavailable(tellTenant(outcome));
  if (truncated || body.length > maxBytes) return unavailable(`The document is longer than ${maxBytes} bytes`);
  if (!isJson(headers['content-type'] ?? '')) return unavailable('The document is not served as application/json');
  const json = parseJson(body);
  if (json === undefined) return unavailable('The document is not valid JSON');
  try {
    return { outcome: 'read', value: read(json) };
  } catch (error) {
    if (error instanceof OAuthError) return unavailable(error.description);
    throw error;
  }
};
