import type { PlatformDocument, ScopeDefinition } from './platform/document.ts';

type Vocabulary = Pick<PlatformDocument, 'scopes'>;

export type ScopeDecision =
  | { readonly outcome: 'granted'; readonly scopes: readonly string[] }
  /** The request names scopes, but not this one, which every request has to name. */
  | { readonly outcome: 'required_scope_missing'; readonly scope: string }
  /** `scope` is what cannot be granted; null when nothing was asked for and nothing is granted by default. */
  | { readonly outcome: 'invalid_scope'; readonly scope: string | null };

/** These scopes and all that they imply, transitively, in the platform's order. Unknown names are left out. */
export const impliedScopes = (scopes: readonly string[], document: Vocabulary): readonly string[] => {
  const definitions = new Map(document.scopes.map((scope) => [scope.name, scope]));
  const reached = new Set<string>();
  const open = [...scopes];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const definition = definitions.get(name);
    if (definition === undefined || reached.has(name)) continue;
    reached.add(name);
    open.push(...definition.implies);
  }
  return document.scopes.filter(({ name }) => reached.has(name)).map(({ name }) => name);
};

/** Whether a token with `scopes` may do what asks for every one of `needed`: by itself or by what its scopes imply. */
export const satisfies = (scopes: readonly string[], needed: readonly string[], document: Vocabulary): boolean => {
  const effective = new Set([...scopes, ...impliedScopes(scopes, document)]);
  return needed.every((name) => effective.has(name));
};

/** What a client may be granted at all, in the platform's order: all of the platform's, or its own, what they imply and the required ones. */
const scopesWithin = ({
  document,
  client,
}: {
  readonly document: Vocabulary;
  readonly client: { readonly scopes: readonly string[] | null };
}): readonly ScopeDefinition[] => {
  const allowed = client.scopes === null ? null : new Set(impliedScopes(client.scopes, document));
  return document.scopes.filter(({ name, required }) => required || allowed === null || allowed.has(name));
};

/** Those of `scopes` that the client may still have, whatever else it was granted with them. */
export const stillGrantable = (
  party: { readonly document: Vocabulary; readonly client: { readonly scopes: readonly string[] | null } },
  scopes: readonly string[],
): readonly string[] => {
  const within = new Set(scopesWithin(party).map(({ name }) => name));
  return scopes.filter((scope) => within.has(scope));
};

/**
 * The scopes a request comes to, in the platform's order: what it names, or the defaults and the required ones where it
 * names none. A client limited to some scopes may also ask for what those imply. Implied scopes are not
 * added: the grant says what was asked, and {@link satisfies} knows the rest.
 *
 * @param request `client.scopes` is null for all of the platform's.
 * @see RFC 6749 §3.3
 */
export const grantableScopes = (request: {
  readonly document: Vocabulary;
  readonly client: { readonly scopes: readonly string[] | null };
  readonly requested: readonly string[];
}): ScopeDecision => {
  const { document, requested } = request;
  const grantable = scopesWithin(request);
  const refused = requested.find((name) => !grantable.some((scope) => scope.name === name));
  if (refused !== undefined) return { outcome: 'invalid_scope', scope: refused };

  const missing = requested.length === 0 ? undefined : document.scopes.find(({ name, required }) => required && !requested.includes(name));
  if (missing !== undefined) return { outcome: 'required_scope_missing', scope: missing.name };
  const scopes = grantable
    .filter((scope) => (requested.length === 0 ? scope.default || scope.required : requested.includes(scope.name)))
    .map(({ name }) => name);
  return scopes.length === 0 ? { outcome: 'invalid_scope', scope: null } : { outcome: 'granted', scopes };
};
