import type { PublicJwk } from '@grantlog/crypto';
import { verifyJwt } from '@grantlog/crypto';
import { OAuthError } from '@grantlog/protocol';

/**
 * The account whom `id_token_hint` names: the subject of an ID token that we gave this client, however long ago.
 * Null where there is no hint.
 *
 * @throws OAuthError `invalid_request` for anything else.
 * @see OIDC Core §3.1.2.1
 */
export const readHintedAccount = async (
  hint: string | null,
  expected: { readonly issuer: string; readonly clientId: string; readonly keys: readonly PublicJwk[]; readonly now: number },
): Promise<string | null> => {
  if (hint === null) return null;
  const { issuer, clientId: audience, keys, now } = expected;
  const verified = await verifyJwt({ jwt: hint, keys, typ: 'JWT', issuer, audience, now, ignoreExpiry: true });
  if (verified.outcome === 'verified' && typeof verified.claims['sub'] === 'string') return verified.claims['sub'];
  const reason = verified.outcome === 'refused' ? `id_token_hint: ${verified.reason}` : 'id_token_hint has no subject';
  throw new OAuthError('invalid_request', { description: 'id_token_hint is not an ID token of this server for this client', reason });
};

/**
 * The one account that may answer: whom the hint names, and whom `claims` demands as the subject. Null for anybody.
 *
 * @throws OAuthError `invalid_request` where the two are not one.
 * @see OIDC Core §5.5.1
 */
export const expectedAccount = (hinted: string | null, subject: string | null): string | null => {
  if (hinted !== null && subject !== null && hinted !== subject)
    throw new OAuthError('invalid_request', { description: 'id_token_hint and the sub of claims name different people' });
  return hinted ?? subject;
};
