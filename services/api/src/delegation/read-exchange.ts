import { canonicalResource, OAuthError, parseResourceIndicator, parseScope } from '@grantlog/protocol';
import type { TokenRequest } from '../grants/token-request.ts';
import { type ClaimedToken, readToken } from '../tokens/read-token.ts';

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const jwt = 'urn:ietf:params:oauth:token-type:jwt';

/** What a token exchange asks for. Tokens are named, and not yet proved; null for what cannot be one of ours. */
export type ExchangeAsked = {
  readonly subject: ClaimedToken | null;
  /** Absent where none was sent. */
  readonly actor?: ClaimedToken | null;
  /** Null where the request names no scope. */
  readonly scopes: readonly string[] | null;
  /** Canonical, `resource` before `audience`; empty where the request names none. */
  readonly resources: readonly string[];
};

type Parameters = TokenRequest['parameters'];

const invalid = (description: string): OAuthError => new OAuthError('invalid_request', { description });

const readTyped = (parameters: Parameters, name: 'subject_token' | 'actor_token'): ClaimedToken | null => {
  const type = parameters.require(`${name}_type`);
  if (type !== accessToken && type !== jwt)
    throw invalid(`${name}_type must be ${accessToken} or ${jwt}: nothing but access tokens of this platform is exchanged`);
  const claimed = readToken(parameters.require(name));
  return type === jwt && claimed?.format === 'opaque' ? null : claimed;
};

/** RFC 8693 §2.1 allows names of another kind here; the resources of this server have none but their URIs. */
const readAudience = (audience: string): string => {
  const canonical = canonicalResource(audience);
  if (canonical === null)
    throw new OAuthError('invalid_target', { description: 'audience must be the URI of a resource of this platform' });
  return canonical;
};

/**
 * Reads the parameters of a token exchange.
 *
 * @throws OAuthError `invalid_request`, `invalid_scope`, `invalid_target`
 * @see RFC 8693 §2.1
 */
export const readExchange = (parameters: Parameters): ExchangeAsked => {
  const requested = parameters.get('requested_token_type');
  if (requested !== undefined && requested !== accessToken)
    throw invalid(`requested_token_type must be ${accessToken} or left out: only access tokens are issued`);
  const hasActor = parameters.get('actor_token') !== undefined;
  // RFC 8693 §2.1: it must not be there without its token.
  if (!hasActor && parameters.get('actor_token_type') !== undefined) throw invalid('actor_token_type was sent without actor_token');
  const audience = parameters.get('audience');
  const scopes = parseScope(parameters.get('scope'));
  return {
    subject: readTyped(parameters, 'subject_token'),
    ...(hasActor ? { actor: readTyped(parameters, 'actor_token') } : {}),
    scopes: scopes.length === 0 ? null : scopes,
    resources: [...parameters.all('resource').map(parseResourceIndicator), ...(audience === undefined ? [] : [readAudience(audience)])],
  };
};

/** The streams that the tokens of a request name, before anything of it is judged. */
export const namedGrants = ({ parameters }: TokenRequest): readonly ClaimedToken['grantId'][] =>
  [parameters.get('subject_token'), parameters.get('actor_token')].flatMap((text) => {
    const claimed = text === undefined ? null : readToken(text);
    return claimed === null ? [] : [claimed.grantId];
  });
