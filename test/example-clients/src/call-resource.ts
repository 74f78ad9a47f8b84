import * as oauth from 'oauth4webapi';
import type { Config } from './config.ts';
import { requestOptions } from './server.ts';

/** What the API made of a token. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly contentType: string; readonly body: string }
  /** The token is spent: the one reason to refresh. */
  | { readonly kind: 'token_refused'; readonly error: string }
  /** The token is good and does not allow this: refreshing it would change nothing. */
  | { readonly kind: 'insufficient_scope'; readonly scope: string | null }
  /** Any other refusal, which no token would mend. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string };

/** `expired_token` is of platforms with the documented challenges; elsewhere an expired token is `invalid_token` like any other. */
const spent: ReadonlySet<string> = new Set(['invalid_token', 'expired_token']);

/**
 * Judges a refusal by its Bearer challenge; a status alone says too little, and a challenge of another scheme is an offer.
 *
 * @see RFC 6750 §3, §3.1
 */
const judge = (status: number, challenges: readonly oauth.WWWAuthenticateChallenge[]): Outcome => {
  const bearer = challenges.find((challenge) => challenge.scheme === 'bearer')?.parameters;
  const error = bearer?.error;
  if ((status === 401 || status === 403) && error !== undefined) {
    if (spent.has(error)) return { kind: 'token_refused', error };
    if (error === 'insufficient_scope') return { kind: 'insufficient_scope', scope: bearer?.scope ?? null };
  }
  return { kind: 'refused', status, reason: bearer?.error_description ?? error ?? 'no reason given' };
};

/** Calls the API once with this token. What is made of the outcome is the caller's business. */
export const callResource = async (config: Config, accessToken: string): Promise<Outcome> => {
  const { signal, ...insecure } = requestOptions(config.url);
  try {
    const headers = new Headers({ accept: 'application/json' });
    const response = await oauth.protectedResourceRequest(accessToken, 'GET', config.url, headers, undefined, {
      ...insecure,
      signal: signal(),
    });
    const body = await response.text();
    if (response.ok) return { kind: 'answered', status: response.status, contentType: response.headers.get('content-type') ?? '', body };
    return { kind: 'refused', status: response.status, reason: body.slice(0, 500) || 'no reason given' };
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError) {
      await error.response.body?.cancel();
      return judge(error.status, error.cause);
    }
    throw error;
  }
};
