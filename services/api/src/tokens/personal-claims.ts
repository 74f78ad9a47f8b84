import type { AccountId, AccountRecord, ClaimsRequest, ClientRecord, GrantTerms, PlatformDocument } from '@grantlog/domain';
import { stillGrantable } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readPersonal } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { foldAccount } from '../platforms/load-parties.ts';

/** What can be told of a person, and the scope that opens each (OIDC Core §5.4). */
const scopeOf = { name: 'profile', email: 'email', email_verified: 'email' } as const;

export type PersonalClaim = keyof typeof scopeOf;

// The keys of an object literal of our own.
const personalClaims = Object.keys(scopeOf) as readonly PersonalClaim[];

/** The claims that these scopes open: all that a platform can tell, or what a token gives. */
export const claimsOfScopes = (scopes: readonly string[]): readonly PersonalClaim[] =>
  personalClaims.filter((claim) => scopes.includes(scopeOf[claim]));

/** What somebody reads who is asked for a claim by itself. */
const words = {
  name: 'Know your name',
  email: 'Know your email address',
  email_verified: 'Know whether your email address has been confirmed',
} as const satisfies Record<PersonalClaim, string>;

/** What a request's claims let its client know that its scopes do not, in words for the person. */
export const wordsBeyondScopes = ({
  claims,
  scopes,
}: Pick<GrantTerms, 'scopes'> & { readonly claims: ClaimsRequest | null }): readonly string[] => {
  const byScope = claimsOfScopes(scopes);
  const asked = new Set([...(claims?.idToken ?? []), ...(claims?.userinfo ?? [])]);
  return personalClaims.filter((claim) => asked.has(claim) && !byScope.includes(claim)).map((claim) => words[claim]);
};

/**
 * Which of the claims that a request names one by one may be told: the client could have asked for their scope, so that asking
 * this way gives it no more (OIDC Core §5.5). Others are left out, never refused.
 */
export const tellableClaims = (
  party: { readonly document: Pick<PlatformDocument, 'scopes'>; readonly client: Pick<ClientRecord, 'scopes'> },
  names: Iterable<string>,
): readonly PersonalClaim[] => {
  const asked = new Set(names);
  return personalClaims.filter((claim) => asked.has(claim) && stillGrantable(party, [scopeOf[claim]]).length > 0);
};

/** What claims say of an account that was loaded with its secrets; nothing of one that is erased. */
export const tellClaims = (
  { sealer }: Pick<Deps, 'sealer'>,
  of: {
    readonly platform: PlatformId;
    readonly account: AccountId;
    readonly record: Pick<AccountRecord, 'personal' | 'emailVerified'>;
    readonly wrappedKey: Uint8Array | null;
  },
  claims: readonly PersonalClaim[],
): { readonly [Claim in PersonalClaim]?: string | boolean } => {
  const { platform, account: subject, record, wrappedKey } = of;
  const personal = readPersonal(sealer, { platform, subject, wrappedKey, personal: record.personal });
  if (personal === 'erased') return {};
  const { name, email } = personal;
  return {
    ...(claims.includes('name') && name !== undefined ? { name } : {}),
    ...(claims.includes('email') && email !== undefined ? { email } : {}),
    ...(claims.includes('email_verified') && email !== undefined ? { email_verified: record.emailVerified } : {}),
  };
};

/**
 * What the ID tokens of a grant say of the person besides who they are, where the request named it. A load of its own: the account's
 * secrets are none of the token endpoint's business otherwise.
 *
 * @throws LogUnavailable
 */
export const claimsInIdToken = async (
  deps: Pick<Deps, 'log' | 'sealer'>,
  of: {
    readonly platform: PlatformId;
    readonly document: Pick<PlatformDocument, 'scopes'>;
    readonly client: Pick<ClientRecord, 'scopes'>;
    readonly terms: Pick<GrantTerms, 'account' | 'claims'>;
  },
): Promise<Readonly<Record<string, unknown>>> => {
  const { platform, terms } = of;
  const { account, claims: asked } = terms;
  const claims = tellableClaims(of, asked?.idToken ?? []);
  if (account === null || claims.length === 0) return {};
  const loaded = await deps.log.load(platform, [{ streamId: account, withSecrets: true }]);
  const record = foldAccount(loaded, account);
  if (record?.status !== 'active') return {};
  return tellClaims(deps, { platform, account, record, wrappedKey: loaded.stream(account).dataKey }, claims);
};
