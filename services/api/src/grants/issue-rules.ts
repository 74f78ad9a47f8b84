import type { ClientRecord, GrantTerms, IssueRules, Narrowing, PlatformDocument } from '@grantlog/domain';
import { stillGrantable } from '@grantlog/domain';
import { OAuthError, parseResourceIndicator, parseScope, sameResource } from '@grantlog/protocol';
import { findResource } from '../platforms/own-resources.ts';
import type { TokenRequest } from './token-request.ts';

/** Whether a grant of these scopes comes with refresh tokens: the client keeps its access while the person is away. */
export const staysConnected = ({ document, client, scopes }: Omit<Parameters<typeof issueRulesOf>[0], 'tokenKeyId'>): boolean =>
  document.grantTypes.includes('refresh_token') &&
  client.grantTypes.includes('refresh_token') &&
  (!document.refresh.requiresOfflineAccess || scopes.includes('offline_access'));

/** How long what is issued now lives, and whether a refresh token is part of it (design §5.2, OIDC Core §11). */
export const issueRulesOf = (party: {
  readonly document: PlatformDocument;
  readonly client: ClientRecord;
  readonly scopes: readonly string[];
  readonly tokenKeyId: number;
}): IssueRules => {
  const { document, client, scopes, tokenKeyId } = party;
  const refreshes = staysConnected({ document, client, scopes });
  return {
    accessTokenSeconds: document.lifetimes.accessTokenSeconds,
    refreshTokenSeconds: refreshes ? document.lifetimes.refreshTokenSeconds : null,
    grantMaxSeconds: document.lifetimes.grantMaxSeconds,
    tokenKeyId,
  };
};

/**
 * What the request narrows the grant to.
 *
 * @throws OAuthError `invalid_scope` or `invalid_target`; a token is for one resource, so several are refused (RFC 8707 §2.2).
 */
export const readNarrowing = ({ parameters }: Pick<TokenRequest, 'parameters'>): Narrowing => {
  const scopes = parseScope(parameters.get('scope'));
  const resources = parameters.all('resource').map(parseResourceIndicator);
  if (new Set(resources).size > 1) throw new OAuthError('invalid_target', { description: 'Ask for a token for one resource at a time' });
  return { scopes: scopes.length === 0 ? null : scopes, resource: resources[0] ?? null };
};

/** The narrowing with its resource spelled as the grant has it: clients add or drop the slash of a bare origin. */
export const narrowingOf = (
  { terms, allowed }: { readonly terms: Pick<GrantTerms, 'resources'>; readonly allowed: NonNullable<Narrowing['allowed']> },
  { scopes, resource }: Narrowing,
): Narrowing => ({
  scopes,
  resource: resource === null ? null : (terms.resources.find((granted) => sameResource(granted, resource)) ?? resource),
  allowed,
});

/** What of a grant its client may still have: an operator who takes a scope or a resource away is heard at the next token. */
export const stillAllowed = (
  party: { readonly document: PlatformDocument; readonly client: ClientRecord; readonly issuer: string },
  terms: Pick<GrantTerms, 'scopes' | 'resources'>,
): NonNullable<Narrowing['allowed']> => ({
  scopes: stillGrantable(party, terms.scopes),
  resources: terms.resources.filter((uri) => findResource(party.document, party.issuer, uri)?.uri === uri),
});
