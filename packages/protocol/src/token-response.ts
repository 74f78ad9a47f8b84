import { formatScope } from './scope.ts';

/** A successful answer of the token endpoint. */
export type TokenResponse = {
  readonly access_token: string;
  readonly token_type: 'Bearer' | 'DPoP';
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope: string;
  /** Of a token exchange alone (RFC 8693 §2.2.1). */
  readonly issued_token_type?: 'urn:ietf:params:oauth:token-type:access_token';
};

/** No answer that carries a token may be stored (RFC 6749 §5.1). */
export const tokenResponseHeaders = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/**
 * Builds a token response. `scope` and `expires_in` are always there: clients decide about step-up from the
 * one, and a lifetime left out is guessed.
 *
 * @param tokens.expiresIn seconds that remain; rounded down, never negative.
 * @see RFC 6749 §5.1
 */
export const tokenResponse = (tokens: {
  readonly accessToken: string;
  readonly tokenType?: 'Bearer' | 'DPoP';
  readonly expiresIn: number;
  readonly scope: readonly string[];
  readonly refreshToken?: string | undefined;
  readonly idToken?: string | undefined;
  readonly issuedTokenType?: TokenResponse['issued_token_type'];
}): TokenResponse => ({
  access_token: tokens.accessToken,
  token_type: tokens.tokenType ?? 'Bearer',
  expires_in: Math.max(0, Math.floor(tokens.expiresIn)),
  ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
  ...(tokens.idToken === undefined ? {} : { id_token: tokens.idToken }),
  scope: formatScope(tokens.scope),
  ...(tokens.issuedTokenType === undefined ? {} : { issued_token_type: tokens.issuedTokenType }),
});
