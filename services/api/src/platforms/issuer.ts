import type { PlatformDocument } from '@grantlog/domain';

/** The one issuer of a platform: its own origin where the document names one, else its path under `PUBLIC_URL`. Never from a request. */
export const issuerOf = (document: PlatformDocument, publicUrl: string): string => document.issuer ?? `${publicUrl}/${document.name}`;

/** The path of the platform's own pages: empty for an issuer that is a whole host. */
export const pathOf = (issuer: string): string => {
  const { pathname } = new URL(issuer);
  return pathname === '/' ? '' : pathname;
};
