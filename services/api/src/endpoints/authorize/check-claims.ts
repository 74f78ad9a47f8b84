import type { ClaimsRequest, ClientRecord, PlatformDocument } from '@grantlog/domain';
import { OAuthError, type RequestedClaims, readClaimsRequest } from '@grantlog/protocol';
import { tellableClaims } from '../../tokens/personal-claims.ts';

export type CheckedClaims = {
  /** Those that can be told, by where; null where none is. */
  readonly claims: ClaimsRequest | null;
  /** The account whom the ID token has to be about, where the request says so. */
  readonly subject: string | null;
};

const none: CheckedClaims = { claims: null, subject: null };

const subjectOf = ({ idToken }: RequestedClaims): string | null => {
  const values = idToken.get('sub')?.values ?? null;
  if (values === null) return null;
  const [subject, ...others] = values;
  if (typeof subject !== 'string' || others.length > 0)
    throw new OAuthError('invalid_request', { description: 'claims: sub must be one subject, a string' });
  return subject;
};

/**
 * The claims that a request asks for one by one. Only OpenID Connect requests have any; a claim that cannot be told is left out,
 * `essential` or not, since a person must not be kept from signing in by it.
 *
 * @throws OAuthError `invalid_request`; `unmet_authentication_requirements` for a way of signing in that has to have been, of which
 * this server knows no names.
 * @see OIDC Core §5.5, §5.5.1.1
 */
export const checkClaims = (
  party: { readonly document: PlatformDocument; readonly client: ClientRecord },
  request: { readonly text: string | undefined; readonly scopes: readonly string[] },
): CheckedClaims => {
  const asked = request.scopes.includes('openid') ? readClaimsRequest(request.text) : null;
  if (asked === null) return none;
  const acr = asked.idToken.get('acr');
  if (acr?.essential === true && acr.values !== null) {
    throw new OAuthError('unmet_authentication_requirements', {
      description: 'claims: none of the acr values asked for is one that people can sign in with here',
    });
  }
  const [idToken, userinfo] = [tellableClaims(party, asked.idToken.keys()), tellableClaims(party, asked.userinfo.keys())];
  return { claims: idToken.length + userinfo.length === 0 ? null : { idToken, userinfo }, subject: subjectOf(asked) };
};
