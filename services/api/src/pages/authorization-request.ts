import type { AccountId, ClaimsRequest, GrantId, NameId, SignInId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { Deps } from '../deps.ts';

/** An authorization request whose every check has passed; only a person's decision is missing. */
export type AuthorizationRequest = {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly redirectUriSent: boolean;
  readonly state: string | null;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
  readonly nonce: string | null;
  readonly codeChallenge: string | null;
  /** Claims asked for one by one (OIDC Core §5.5), or null. */
  readonly claims: ClaimsRequest | null;
  /** Thumbprint of the key that has to redeem the code (RFC 9449 §10), or null for any. */
  readonly dpopJkt: string | null;
  /** The context that one of the resources is for; null where the person may choose. */
  readonly pinnedContext: string | null;
  /** Whether the person is asked whatever they allowed before (`prompt=consent`). */
  readonly asksAgain: boolean;
  /** What whoever decides a pushed request claims, so that it is decided once; null for one that was not pushed. */
  readonly pushed: NameId | null;
  /** Id of the request that brought it: joins what follows of this attempt to connect. */
  readonly attempt: string;
  /** The account that `id_token_hint` named: nobody else may answer (OIDC Core §3.1.2.1). */
  readonly hinted: string | null;
  /** The stream of the grant that a decision opens: one decision each. */
  readonly grantId: GrantId;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
};

/** What a form carries sealed: the request, the browser it belongs to and, once somebody has signed in, who. */
export type PendingDecision = {
  readonly request: AuthorizationRequest;
  readonly browserId: string;
  readonly signIn: { readonly id: SignInId; readonly account: AccountId } | null;
};

const purpose = (platform: PlatformId): string => `authorization request ${platform}`;

/** Undecided requests live in the form, not in the log: nothing anonymous writes (design §3). */
export const sealDecision = ({ sealer }: Pick<Deps, 'sealer'>, platform: PlatformId, pending: PendingDecision): string =>
  sealer.sealJson(pending, purpose(platform));

/** The pending decision of a form, or null when it is not ours, not this browser's or too old. */
export const openDecision = (
  { sealer }: Pick<Deps, 'sealer'>,
  platform: PlatformId,
  form: { readonly sealed: string | undefined; readonly browserId: string; readonly now: number },
): PendingDecision | null => {
  if (form.sealed === undefined) return null;
  // What opens was sealed by sealDecision for this purpose.
  const pending = sealer.openJson(form.sealed, purpose(platform)) as PendingDecision | null;
  return pending === null || pending.browserId !== form.browserId || form.now >= pending.request.expiresAt ? null : pending;
};
