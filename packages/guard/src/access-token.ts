import { verifiableAlgs } from '@grantlog/crypto';
import type { TokenScheme } from '@grantlog/protocol';
import { askAsClient, defaultRetryAfter } from './ask-as-client.ts';
import type { AuthorizationServer } from './discovery.ts';
import type { GuardRequest } from './guard.ts';
import { contextsOf, isText, textsOf } from './members.ts';
import type { Asking } from './options.ts';
import type { GuardOutcome } from './outcome.ts';
import type { OnProblem } from './problem.ts';
import { checkProof } from './proof.ts';
import type { SpendProof } from './proof-memory.ts';
import { type Place, refuseToken, unavailable } from './refusals.ts';
import { saysExpired } from './token-expiry.ts';

type Claims = Readonly<Record<string, unknown>>;

/** One audience, spelt either way that RFC 7519 §4.1.3 allows. Several are refused: the token would be good elsewhere, too. */
const isFor = (aud: unknown, resource: string): boolean =>
  aud === resource || (Array.isArray(aud) && aud.length === 1 && aud[0] === resource);

/** How a token has to be shown: by whoever bears it, or with the key of a thumbprint (RFC 9449 §6.2). */
type Binding = { readonly scheme: 'Bearer' } | { readonly scheme: 'DPoP'; readonly jkt: string };

/** Null for what is no access token, as a refresh token has no type, and for what is bound by other means (RFC 8705). */
const bindingOf = ({ token_type, cnf }: Claims): Binding | null => {
  const type = isText(token_type) ? token_type.toLowerCase() : '';
  if (type === 'bearer' && cnf === undefined) return { scheme: 'Bearer' };
  if (type !== 'dpop' || typeof cnf !== 'object' || cnf === null) return null;
  const { jkt, ...others }: Claims = { ...cnf };
  return isText(jkt) && Object.keys(others).length === 0 ? { scheme: 'DPoP', jkt } : null;
};

const scopesOf = (scope: unknown): readonly string[] => (isText(scope) ? scope.split(' ').filter((each) => each !== '') : []);

const invalid = 'The access token is invalid, expired or revoked';
const expired = 'The access token has expired';
const unproved = 'The access token is bound to a key: show it with the scheme DPoP and a proof';
const unbound = 'The access token is not bound to a key: show it as Bearer';

/**
 * Judges a token by asking the authorization server, every time: an outcome that was kept would outlive a revocation. One that is
 * bound to a key is good with a proof alone, and one that is not is good without (RFC 9449 §7.1, §7.2).
 *
 * @see RFC 7662 §2; RFC 9449 §7
 */
export const checkAccessToken = async (
  check: {
    readonly settings: Asking;
    readonly server: AuthorizationServer;
    readonly report: OnProblem;
    readonly place: Place;
    readonly spendProof: SpendProof;
    readonly request: Pick<GuardRequest, 'request' | 'url'>;
  },
  { token, scheme }: { readonly token: string; readonly scheme: TokenScheme },
): Promise<GuardOutcome> => {
  const { settings, server, report, place, spendProof, request: shown } = check;
  const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
  const answer = await askAsClient(settings, report, server.introspectionEndpoint, form);
  if (answer.kind === 'unavailable') return unavailable(answer.retryAfter);

  const claims = answer.body;
  if (typeof claims['active'] !== 'boolean') {
    report({ kind: 'unusable_answer', message: `${server.introspectionEndpoint} does not say whether a token is active` });
    return unavailable(defaultRetryAfter);
  }
  if (!claims['active']) {
    return saysExpired(token, settings.now()) ? refuseToken(place, 'expired_token', expired) : refuseToken(place, 'invalid_token', invalid);
  }
  if (claims['iss'] !== settings.issuer || !isFor(claims['aud'], settings.resource)) {
    return refuseToken(place, 'invalid_token', 'The access token is for another resource');
  }
  const binding = bindingOf(claims);
  if (binding === null) return refuseToken(place, 'invalid_token', 'The token is not an access token that can be shown here');
  const expiresAt = claims['exp'];
  if (typeof expiresAt !== 'number' || expiresAt * 1000 <= settings.now()) return refuseToken(place, 'expired_token', expired);
  if (!isText(claims['sub'])) return refuseToken(place, 'invalid_token', invalid);
  if (binding.scheme !== scheme) {
    return binding.scheme === 'DPoP'
      ? refuseToken({ ...place, dpop: { scheme, algs: verifiableAlgs } }, 'invalid_token', unproved)
      : refuseToken(place, 'invalid_token', unbound);
  }
  const refusal =
    binding.scheme === 'DPoP' ? await checkProof({ settings, report, place, spendProof, shown }, { token, jkt: binding.jkt }) : null;
  if (refusal !== null) return refusal;

  const scopes = scopesOf(claims['scope']);
  const lacking = place.scope.filter((scope) => !scopes.includes(scope));
  if (lacking.length > 0) return refuseToken(place, 'insufficient_scope', `The access token lacks the scope ${lacking.join(' ')}`);
  return {
    kind: 'allowed',
    scheme,
    subject: claims['sub'],
    scopes,
    roles: textsOf(claims['roles']),
    clientId: isText(claims['client_id']) ? claims['client_id'] : null,
    expiresAt,
    context: isText(claims['context']) ? claims['context'] : null,
    contexts: contextsOf(claims['contexts']),
    headers: [],
  };
};
