import type { PublicJwk } from '@grantlog/crypto';
import { verifyJwt } from '@grantlog/crypto';
import type { SignInId } from '@grantlog/domain';
import { parseStreamId } from '@grantlog/domain';

/** What an ID token of this platform says of who signed in where, however long ago. */
export type LogoutHint = {
  readonly clientId: string;
  readonly account: string;
  /** Null in ID tokens that name no sign-in. */
  readonly signIn: SignInId | null;
};

export type ReadLogoutHint =
  | { readonly kind: 'absent' }
  | { readonly kind: 'genuine'; readonly hint: LogoutHint }
  /** Of another platform, changed, or no ID token. `reason` is for the log. */
  | { readonly kind: 'foreign'; readonly reason: string };

/**
 * Reads `id_token_hint`. An expired one counts: apps keep the ID token of a sign-in for as long as their own session lasts.
 *
 * @see OIDC RP-Initiated Logout 1.0 §2
 */
export const readLogoutHint = async (
  jwt: string | undefined,
  expected: { readonly issuer: string; readonly keys: readonly PublicJwk[]; readonly now: number },
): Promise<ReadLogoutHint> => {
  if (jwt === undefined) return { kind: 'absent' };
  const verified = await verifyJwt({ jwt, typ: 'JWT', ignoreExpiry: true, ...expected });
  if (verified.outcome === 'refused') return { kind: 'foreign', reason: verified.reason };
  const { aud, sub, sid } = verified.claims;
  if (typeof aud !== 'string' || typeof sub !== 'string') return { kind: 'foreign', reason: 'not an ID token' };
  // What we signed as `sid` is the id of a sign-in.
  const signIn = typeof sid === 'string' ? (parseStreamId(sid) as SignInId | null) : null;
  return { kind: 'genuine', hint: { clientId: aud, account: sub, signIn } };
};
