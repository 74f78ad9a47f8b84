import * as oauth from 'oauth4webapi';
import type { Config } from './config.ts';
import { Failure } from './failure.ts';

/** The platform's authorization server, as it describes itself, and this client at it. */
export type Server = {
  readonly metadata: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
  readonly request: RequestOptions;
};

export type RequestOptions = { readonly [oauth.allowInsecureRequests]: boolean; readonly signal: () => AbortSignal };

/** No request waits for ever. Plain http was accepted for loopback only, when the configuration was read. */
export const requestOptions = (url: URL): RequestOptions => ({
  [oauth.allowInsecureRequests]: url.protocol === 'http:',
  signal: () => AbortSignal.timeout(30_000),
});

/**
 * Asks the issuer for its endpoints (RFC 8414, OIDC Discovery): nothing about them is written into a client.
 * Called only when an endpoint of it is needed; a cached token needs none.
 */
export const discover = async (config: Config): Promise<Server> => {
  const issuer = new URL(config.issuer);
  const request = requestOptions(issuer);
  const metadata = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, request));
  return {
    metadata,
    client: { client_id: config.clientId },
    // In the header, where no log of bodies finds it (RFC 6749 §2.3.1).
    authentication: config.clientSecret === null ? oauth.None() : oauth.ClientSecretBasic(config.clientSecret),
    request,
  };
};

/** What the endpoints' errors ask of whoever runs this (RFC 6749 §4.1.2.1, §5.2). What is not named here is the client's own mistake. */
const fixes: Readonly<Record<string, string>> = {
  access_denied: 'ask again with example login when the person agrees',
  invalid_client: 'check client id and secret. The tokens are kept',
  unauthorized_client: 'wait for the approval of this client, or ask the operator of the platform. The tokens are kept',
  invalid_scope: 'ask with --scope for scopes that the platform has, lower case, separated by spaces',
  invalid_grant: 'run example login',
  temporarily_unavailable: 'try again later. The tokens are kept',
  server_error: 'try again later. The tokens are kept',
};

const fixOf = (code: string): string => fixes[code] ?? 'compare the request with test/example-clients/README.md';

/** Codes and the server's own sentence; never the request, never a parameter of it. */
const describe = (code: string, description: string | undefined): string => (description === undefined ? code : `${code}: ${description}`);

/** Turns what `oauth4webapi` and `fetch` throw into a message; null where it is neither. */
export const explain = (error: unknown): Failure | null => {
  if (error instanceof oauth.AuthorizationResponseError)
    return new Failure(`The person or the server refused (${describe(error.error, error.error_description)})`, fixOf(error.error), 3);
  if (error instanceof oauth.ResponseBodyError) {
    const wait = error.response.headers.get('retry-after');
    return new Failure(
      `The server refused (${error.status} ${describe(error.error, error.error_description)})`,
      wait === null ? fixOf(error.error) : `wait ${wait} s and try again. The tokens are kept`,
    );
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError)
    return new Failure(`The server refused this client (${error.status})`, fixes['invalid_client'] ?? '');
  if (error instanceof oauth.OperationProcessingError)
    return new Failure(`The answer was not what it must be: ${error.message}`, 'do not trust it; check the issuer');
  if (error instanceof Error && (error.name === 'TimeoutError' || (error instanceof TypeError && error.message === 'fetch failed')))
    return new Failure('The server did not answer', 'check that it runs and that its address is right. The tokens are kept');
  return null;
};
