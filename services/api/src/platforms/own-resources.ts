import type { PlatformDocument, ResourceDefinition } from '@grantlog/domain';
import { sameResource } from '@grantlog/protocol';

/** What people manage here themselves, by the scope that opens it; the path under the issuer is called the same. */
const builtIn = [
  { scope: 'account', name: 'Your security settings' },
  { scope: 'developer', name: 'Your registered apps' },
] as const;

/**
 * The protected resources that this server is itself, at `{issuer}/account` and `{issuer}/developer`: one for each of
 * those scopes that the platform has. They are asked for by `resource` and never meant by default (RFC 8707 §2).
 */
export const ownResourcesOf = (document: Pick<PlatformDocument, 'scopes'>, issuer: string): readonly ResourceDefinition[] =>
  builtIn
    .filter(({ scope }) => document.scopes.some(({ name }) => name === scope))
    .map(({ scope, name }) => ({
      uri: `${issuer}/${scope}`,
      name,
      scopes: [scope],
      accessTokenFormat: 'opaque',
      upstream: null,
      perContext: false,
    }));

/** Every resource that a token of the platform may be for: the document's, then our own where the document has none of that URI. */
export const resourcesOf = (document: Pick<PlatformDocument, 'scopes' | 'resources'>, issuer: string): readonly ResourceDefinition[] => [
  ...document.resources,
  ...ownResourcesOf(document, issuer).filter((own) => !document.resources.some((resource) => sameResource(resource.uri, own.uri))),
];
