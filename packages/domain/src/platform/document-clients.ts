import type { ContextChoice, MetadataDocumentRules, PlatformDocument, RegistrationPolicy, TrustedIssuer } from './document.ts';
import { hostPattern, httpsUrl, issuerUrl, noun } from './document-texts.ts';
import { flag, list, needed, object, oneOf, optional, whole } from './readers.ts';

const itself = (item: string): string => item;
const sites = list(hostPattern, { max: 1_000, key: itself });

const metadataDocumentDefaults: MetadataDocumentRules = { allow: [], deny: [], trusted: [] };
export const registrationDefaults: PlatformDocument['registration'] = {
  policy: ['preset'],
  unusedClientDays: 7,
  metadataDocuments: metadataDocumentDefaults,
};
export const consentDefaults: PlatformDocument['consent'] = { remember: true };

/** How clients may come to be. */
export const registration = object<PlatformDocument['registration']>({
  policy: needed(list<RegistrationPolicy>(oneOf('open', 'approval', 'metadata_document', 'preset'), { max: 4, key: itself })),
  unusedClientDays: optional(whole(1, 365), registrationDefaults.unusedClientDays),
  metadataDocuments: optional(
    object<MetadataDocumentRules>({
      allow: optional(sites, []),
      deny: optional(sites, []),
      trusted: optional(sites, []),
    }),
    metadataDocumentDefaults,
  ),
});

export const consent = object<PlatformDocument['consent']>({ remember: optional(flag, consentDefaults.remember) });

/** What the objects of an account are called that a grant may be for. */
export const contexts = object<ContextChoice>({ noun: needed(noun), required: optional(flag, false) });

/** Identity providers whose assertions are taken. */
export const trustedIssuers = list(
  object<TrustedIssuer>({
    issuer: needed(issuerUrl),
    jwksUri: needed(httpsUrl),
    emailDomains: optional(list(hostPattern, { max: 100, key: itself }), []),
    createAccounts: optional(flag, false),
  }),
  { max: 100, key: ({ issuer }) => issuer },
);
