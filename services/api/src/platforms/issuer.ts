import type { PlatformDocument } from '@grantlog/domain';

/** The one issuer of a platform: its own origin where the document names one, else its path under `PUBLIC_URL`. Never from a request. */
export const issuerOf = (document: PlatformDocument, publicUrl: string): string => document.issuer ?? `${publicUrl}/${document.name}`;

/** The path of the platform's own pages: empty for an issuer that is a whole host. */
export const pathOf = (issuer: string): string => {
  const { pathname } = new URL(issuer);
  return pathname === '/' ? '' : pathname;
};

/** Whether people can sign in to apps with a platform (OIDC Core §3.1.2.1): it has the scope that asks for that. */
export const isOpenidProvider = (document: Pick<PlatformDocument, 'scopes'>): boolean =>
  document.scopes.some(({ name }) => name === 'openid');

/** Where people and clients read what a platform supports. */
export const discoveryUrlOf = (document: Pick<PlatformDocument, 'scopes'>, issuer: string): string =>
  `${issuer}/.well-known/${isOpenidProvider(document) ? 'openid-configuration' : 'oauth-authorization-server'}`;
