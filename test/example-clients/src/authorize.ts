import * as oauth from 'oauth4webapi';
import type { Config } from './config.ts';
import { Failure } from './failure.ts';
import { listen } from './loopback.ts';
import { openBrowser } from './open-browser.ts';
import type { Server } from './server.ts';
import type { KeptTokens } from './token-file.ts';

/** What a token response leaves to keep. A refresh that names no scope or brings no new refresh token leaves the old one standing (RFC 6749 §5.1, §6). */
export const keep = (
  config: Config,
  response: oauth.TokenEndpointResponse,
  before: Pick<KeptTokens, 'scope' | 'refreshToken'>,
): KeptTokens => ({
  issuer: config.issuer,
  clientId: config.clientId,
  scope: response.scope ?? before.scope,
  expiresAt: response.expires_in === undefined ? null : Math.floor(Date.now() / 1_000) + response.expires_in,
  accessToken: response.access_token,
  refreshToken: response.refresh_token ?? before.refreshToken,
});

/**
 * Asks the person: authorization code flow with PKCE, state, nonce and the check of `iss`, answered on loopback.
 *
 * @throws Failure, or an error of oauth4webapi where an answer is not what it must be.
 * @see RFC 6749 §4.1; RFC 7636; RFC 8252; RFC 9207; OIDC Core §3.1
 */
export const authorize = async (config: Config, server: Server, tell: (line: string) => void): Promise<KeptTokens> => {
  const { metadata, client, authentication, request } = server;
  if (metadata.authorization_endpoint === undefined) throw new Failure('The server has no authorization endpoint', 'check the issuer');
  if (metadata.code_challenge_methods_supported?.includes('S256') !== true)
    throw new Failure('The server offers no PKCE', 'do not go on without it; check the issuer');

  const [state, nonce, verifier] = [oauth.generateRandomState(), oauth.generateRandomNonce(), oauth.generateRandomCodeVerifier()];
  const isOpenid = config.scope.split(' ').includes('openid');
  const listener = await listen(config.redirectUri);
  try {
    const url = new URL(metadata.authorization_endpoint);
    const parameters = {
      response_type: 'code',
      client_id: config.clientId,
      redirect_uri: listener.redirectUri,
      scope: config.scope,
      resource: config.resource,
      state,
      ...(isOpenid ? { nonce } : {}),
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const answered = listener.callback(state);
    tell(`Open this page, sign in and decide:\n\n  ${url.href}\n`);
    if (config.browser === 'system') openBrowser(url.href);

    // Checks state and iss, and throws what the callback refuses.
    const callback = oauth.validateAuthResponse(metadata, client, await answered, state);
    const response = await oauth.authorizationCodeGrantRequest(metadata, client, authentication, callback, listener.redirectUri, verifier, {
      ...request,
      additionalParameters: { resource: config.resource },
    });
    const tokens = await oauth.processAuthorizationCodeResponse(
      metadata,
      client,
      response,
      isOpenid ? { expectedNonce: nonce, requireIdToken: true } : {},
    );
    return keep(config, tokens, { scope: config.scope, refreshToken: null });
  } finally {
    listener.close();
  }
};
