import type { PlatformDocument, ResourceDefinition } from '@grantlog/domain';
import { isContextId } from '@grantlog/domain';
import { canonicalResource, sameResource } from '@grantlog/protocol';

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

/**
 * This server itself, for what is open to every token of a grant: its events, and webhooks about it. It is named by the issuer, as a
 * token without a resource cannot be had where the platform has exactly one (RFC 8707 §2).
 */
const serverItself = (issuer: string): ResourceDefinition => ({
  uri: issuer,
  name: 'News of what you allow here',
  scopes: [],
  accessTokenFormat: 'opaque',
  upstream: null,
  perContext: false,
});

/** Every resource that a token of the platform may be for: the document's, then our own where the document has none of that URI. */
export const resourcesOf = (document: Pick<PlatformDocument, 'scopes' | 'resources'>, issuer: string): readonly ResourceDefinition[] => [
  ...document.resources,
  ...ownResourcesOf(document, issuer).filter((own) => !document.resources.some((resource) => sameResource(resource.uri, own.uri))),
];

/** A resource as a token may name it. */
export type FoundResource = {
  /** The platform's own spelling of it: what tokens and metadata say (RFC 8707 §2). */
  readonly uri: string;
  readonly definition: ResourceDefinition;
  /** The one context that it is of; null for the resource as a whole. */
  readonly context: string | null;
};

/** Where the resource of one context lies: a segment below that of all. */
const below = (uri: string): string => (uri.endsWith('/') ? uri : `${uri}/`);

/**
 * The resource of a URI: one that the document names, or `{uri}/{context}` of one that has a resource for each context.
 * Whether anybody has a context of that id is not asked here, so that the answer tells nothing of accounts.
 */
export const findResource = (
  document: Pick<PlatformDocument, 'scopes' | 'resources'>,
  issuer: string,
  asked: string,
): FoundResource | null => {
  const known = resourcesOf(document, issuer);
  const canonical = canonicalResource(asked);
  if (canonical === null) return null;
  const named = known.find(({ uri }) => uri === canonical) ?? known.find(({ uri }) => sameResource(uri, canonical));
  if (named !== undefined) return { uri: named.uri, definition: named, context: null };
  if (sameResource(issuer, canonical)) return { uri: issuer, definition: serverItself(issuer), context: null };
  for (const definition of known) {
    const parent = below(canonicalResource(definition.uri) ?? definition.uri);
    const context = canonical.slice(parent.length);
    if (definition.perContext && canonical.startsWith(parent) && isContextId(context))
      return { uri: below(definition.uri) + context, definition, context };
  }
  return null;
};

/** The context that resources which were asked for are of; null where it may be chosen. They are of one at most. */
export const pinnedContextOf = (
  { document, issuer }: { readonly document: Pick<PlatformDocument, 'scopes' | 'resources'>; readonly issuer: string },
  resources: readonly string[],
): string | null => resources.flatMap((uri) => findResource(document, issuer, uri)?.context ?? [])[0] ?? null;

/** Whether who serves these resources serves that one: the resource of a context is its resource server's as the whole is. */
export const servesResource = (
  { document, issuer }: { readonly document: Pick<PlatformDocument, 'scopes' | 'resources'>; readonly issuer: string },
  { serves }: { readonly serves: readonly string[] },
  uri: string,
): boolean => {
  if (serves.includes(uri)) return true;
  const found = findResource(document, issuer, uri);
  return found !== null && found.context !== null && serves.includes(found.definition.uri);
};
