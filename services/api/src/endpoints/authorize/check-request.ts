import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import type { Prompt, RequestParameters } from '@grantlog/protocol';
import { OAuthError, readCodeChallenge, readMaxAge, readPrompt } from '@grantlog/protocol';
import { type CheckedClaims, checkClaims } from './check-claims.ts';
import { checkDpopJkt } from './check-dpop.ts';
import { checkResources } from './check-resources.ts';
import { checkScopes } from './check-scopes.ts';

export const authorizationParameters = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'state',
  'scope',
  'resource',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'max_age',
  'id_token_hint',
  'claims',
  'dpop_jkt',
  'request',
  'request_uri',
] as const;

export type CheckedRequest = CheckedClaims & {
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  /** The context that one of the resources is of; null where the person may choose. */
  readonly pinnedContext: string | null;
  readonly nonce: string | null;
  readonly codeChallenge: string | null;
  /** Thumbprint of the key that has to redeem the code; null for any. */
  readonly dpopJkt: string | null;
  readonly prompt: Prompt;
  /** Seconds. */
  readonly maxAge: number | undefined;
  /** An ID token of whom the client expects to be there; not verified yet. */
  readonly idTokenHint: string | null;
};

/**
 * Everything about an authorization request that may be answered to the redirect URI, in the order in which it is judged.
 *
 * @throws OAuthError
 * @see RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2, OIDC Core §3.1.2.1
 */
export const checkRequest = (
  {
    document,
    client,
    issuer,
    isPushed,
  }: {
    readonly document: PlatformDocument;
    readonly client: ClientRecord;
    readonly issuer: string;
    /** Whether its client sent it to us directly (RFC 9126), and not by the browser. */
    readonly isPushed: boolean;
  },
  parameters: RequestParameters<(typeof authorizationParameters)[number]>,
): CheckedRequest => {
  if (parameters.get('request') !== undefined)
    throw new OAuthError('request_not_supported', { description: 'Request objects are not supported' });
  if (parameters.get('request_uri') !== undefined)
    throw new OAuthError('request_uri_not_supported', { description: 'request_uri has to be one that was given for a pushed request' });
  if (client.parRequired && !isPushed)
    throw new OAuthError('invalid_request', { description: 'This client has to push its authorization requests (RFC 9126)' });
  if (parameters.require('response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', { description: 'response_type must be code' });
  }
  if ((parameters.get('response_mode') ?? 'query') !== 'query')
    throw new OAuthError('invalid_request', { description: 'response_mode must be query' });
  if (!document.grantTypes.includes('authorization_code') || !client.grantTypes.includes('authorization_code')) {
    throw new OAuthError('unauthorized_client', { description: 'The client is not registered for the authorization code grant' });
  }
  const codeChallenge = readCodeChallenge({
    challenge: parameters.get('code_challenge'),
    method: parameters.get('code_challenge_method'),
    required: document.pkce === 'required' || client.kind === 'public',
  });
  const scopes = checkScopes(document, client, parameters.get('scope'));
  return {
    scopes,
    ...checkClaims({ document, client }, { text: parameters.get('claims'), scopes }),
    ...checkResources(document, issuer, parameters.all('resource')),
    nonce: parameters.get('nonce') ?? null,
    codeChallenge: codeChallenge ?? null,
    dpopJkt: checkDpopJkt(parameters.get('dpop_jkt')),
    prompt: readPrompt(parameters.get('prompt')),
    maxAge: readMaxAge(parameters.get('max_age')),
    idTokenHint: parameters.get('id_token_hint') ?? null,
  };
};
