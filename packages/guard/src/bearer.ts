import { askAsClient, defaultRetryAfter } from './ask-as-client.ts';
import type { AuthorizationServer } from './discovery.ts';
import { isText, textsOf } from './members.ts';
import type { Asking } from './options.ts';
import type { GuardOutcome } from './outcome.ts';
import type { OnProblem } from './problem.ts';
import { type Place, refuseBearer, unavailable } from './refusals.ts';
import { saysExpired } from './token-expiry.ts';

type Claims = Readonly<Record<string, unknown>>;

/** One audience, spelt either way that RFC 7519 §4.1.3 allows. Several are refused: the token would be good elsewhere, too. */
const isFor = (aud: unknown, resource: string): boolean =>
  aud === resource || (Array.isArray(aud) && aud.length === 1 && aud[0] === resource);

/** A refresh token has no type, and one bound to a key (RFC 9449, RFC 8705) is none that its bearer alone may use. */
const isBearerToken = ({ token_type, cnf }: Claims): boolean =>
  isText(token_type) && token_type.toLowerCase() === 'bearer' && cnf === undefined;

const scopesOf = (scope: unknown): readonly string[] => (isText(scope) ? scope.split(' ').filter((each) => each !== '') : []);

const invalid = 'The access token is invalid, expired or revoked';
const expired = 'The access token has expired';

/**
 * Judges a token by asking the authorization server, every time: an outcome that was kept would outlive a revocation.
 *
 * @see RFC 7662 §2
 */
export const checkBearer = async (
  check: { readonly settings: Asking; readonly server: AuthorizationServer; readonly report: OnProblem; readonly place: Place },
  token: string,
): Promise<GuardOutcome> => {
  const { settings, server, report, place } = check;
  const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
  const answer = await askAsClient(settings, report, server.introspectionEndpoint, form);
  if (answer.kind === 'unavailable') return unavailable(answer.retryAfter);

  const claims = answer.body;
  if (typeof claims['active'] !== 'boolean') {
    report({ kind: 'unusable_answer', message: `${server.introspectionEndpoint} does not say whether a token is active` });
    return unavailable(defaultRetryAfter);
  }
  if (!claims['active']) {
    return saysExpired(token, settings.now())
      ? refuseBearer(place, 'expired_token', expired)
      : refuseBearer(place, 'invalid_token', invalid);
  }
  if (claims['iss'] !== settings.issuer || !isFor(claims['aud'], settings.resource)) {
    return refuseBearer(place, 'invalid_token', 'The access token is for another resource');
  }
  if (!isBearerToken(claims)) return refuseBearer(place, 'invalid_token', 'The token is not an access token for its bearer');
  const expiresAt = claims['exp'];
  if (typeof expiresAt !== 'number' || expiresAt * 1000 <= settings.now()) return refuseBearer(place, 'expired_token', expired);
  if (!isText(claims['sub'])) return refuseBearer(place, 'invalid_token', invalid);

  const scopes = scopesOf(claims['scope']);
  const lacking = place.scope.filter((scope) => !scopes.includes(scope));
  if (lacking.length > 0) return refuseBearer(place, 'insufficient_scope', `The access token lacks the scope ${lacking.join(' ')}`);
  return {
    kind: 'allowed',
    scheme: 'Bearer',
    subject: claims['sub'],
    scopes,
    roles: textsOf(claims['roles']),
    clientId: isText(claims['client_id']) ? claims['client_id'] : null,
    expiresAt,
    context: isText(claims['context']) ? claims['context'] : null,
    contexts: textsOf(claims['contexts']),
    headers: [],
  };
};
