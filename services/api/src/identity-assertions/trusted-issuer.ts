import type { PlatformDocument, TrustedIssuer } from '@grantlog/domain';
import { canonicalEmail } from '@grantlog/provisioning';
import type { ClaimedAssertion } from './claimed-assertion.ts';
import { refuseAssertion } from './verify-assertion.ts';

/**
 * The provider whose assertion this claims to be, as the platform trusts it.
 *
 * @throws OAuthError `invalid_grant`
 */
export const trustedIssuerOf = ({ trustedIssuers }: PlatformDocument, claimed: ClaimedAssertion): TrustedIssuer => {
  const trusted = trustedIssuers.find(({ issuer }) => issuer === claimed.issuer);
  if (trusted === undefined) throw refuseAssertion('This platform takes no assertions of that issuer');
  return trusted;
};

const covers = (pattern: string, domain: string): boolean =>
  pattern.startsWith('*.') ? domain.endsWith(pattern.slice(1)) : domain === pattern;

/** The email of an assertion where its provider speaks for that mailbox; null for any other. */
export const emailSpokenFor = ({ emailDomains }: TrustedIssuer, { email }: ClaimedAssertion): string | null => {
  if (email === null) return null;
  const canonical = canonicalEmail(email);
  const domain = canonical.slice(canonical.lastIndexOf('@') + 1);
  return emailDomains.some((pattern) => covers(pattern, domain)) ? canonical : null;
};
