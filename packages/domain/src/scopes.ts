import type { PlatformDocument } from './platform/document.ts';

type Vocabulary = Pick<PlatformDocument, 'scopes'>;

export type ScopeDecision =
  | { readonly outcome: 'granted'; readonly scopes: readonly string[] }
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

/**
 * The scopes a request comes to, in the platform's order: what it names, or the defaults where it names none, and the
 * required ones in any case. A client limited to some scopes may also ask for what those imply. Implied scopes are not
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
  const { document, client, requested } = request;
  const allowed = client.scopes === null ? null : new Set(impliedScopes(client.scopes, document));
  const grantable = document.scopes.filter(({ name, required }) => required || allowed === null || allowed.has(name));
  const refused = requested.find((name) => !grantable.some((scope) => scope.name === name));
  if (refused !== undefined) return { outcome: 'invalid_scope', scope: refused };

  const chosen =
    requested.length === 0 ? grantable.filter((scope) => scope.default) : grantable.filter(({ name }) => requested.includes(name));
  const scopes = grantable.filter((scope) => scope.required || chosen.includes(scope)).map(({ name }) => name);
  return scopes.length === 0 ? { outcome: 'invalid_scope', scope: null } : { outcome: 'granted', scopes };
};
