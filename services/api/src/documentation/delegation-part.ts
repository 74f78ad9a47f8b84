import { jwtBearerGrant, type PlatformDocument, tokenExchangeGrant } from '@grantlog/domain';
import { paragraphs } from './text-page.ts';

/** How a client goes on with what somebody was allowed elsewhere; null where the platform has neither way. */
export const actingForSomebody = ({ grantTypes, trustedIssuers }: PlatformDocument, issuer: string): string | null => {
  const exchanges = grantTypes.includes(tokenExchangeGrant);
  const believes = grantTypes.includes(jwtBearerGrant) && trustedIssuers.length > 0;
  if (!exchanges && !believes) return null;
  return paragraphs(
    '## Acting for somebody',
    exchanges
      ? `Exchange an access token for one of your own (RFC 8693): \`grant_type=${tokenExchangeGrant}\` with \`subject_token\` and \`subject_token_type=urn:ietf:params:oauth:token-type:access_token\`, and \`scope\` or \`resource\` for less than it has. It has to be issued to you, or be for a resource that you serve as a confidential client. A client without a secret gets one for the resource of the token alone, unless the token is bound to a key. A public client gets one for the same resource alone, unless the token is bound to its key (DPoP). What you get names you in \`act\`, widens nothing, cannot be refreshed, and ends with the token that it comes from.`
      : null,
    believes
      ? `Show an assertion of an identity provider that this platform trusts (ID-JAG, MCP enterprise-managed authorization): \`grant_type=${jwtBearerGrant}\` with \`assertion\`, whose \`aud\` is \`${issuer}\` alone and whose \`client_id\` is yours. It is good once; instead of refreshing, ask the provider for another.`
      : null,
  ).trimEnd();
};
