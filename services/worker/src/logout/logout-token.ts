import { type SigningKey, signJwt } from '@grantlog/crypto';

/** What a logout token says; whole seconds since the epoch. */
export type LogoutTokenTerms = {
  readonly issuer: string;
  readonly clientId: string;
  readonly account: string;
  readonly signIn: string;
  /** The same at every attempt to tell the same app of the same end. */
  readonly id: string;
  readonly issuedAt: number;
};

/** As the specification advises: a token that somebody keeps back says nothing two minutes later. */
const lifetimeSeconds = 120;

/**
 * The token that tells an app of the end of a sign-in. It names the person and the sign-in as the ID token did, and has no
 * `nonce`, so that it can be taken for no ID token.
 *
 * @see OIDC Back-Channel Logout 1.0 §2.4
 */
export const logoutToken = (key: SigningKey, terms: LogoutTokenTerms): Promise<string> =>
  signJwt({
    key,
    typ: 'logout+jwt',
    claims: {
      iss: terms.issuer,
      aud: terms.clientId,
      iat: terms.issuedAt,
      exp: terms.issuedAt + lifetimeSeconds,
      jti: terms.id,
      sub: terms.account,
      sid: terms.signIn,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    },
  });
