import type { ClientRecord, PlatformDocument } from '@grantlog/domain';
import { grantableScopes } from '@grantlog/domain';
import { OAuthError, parseScope } from '@grantlog/protocol';

/** Why one scope cannot be granted, with the way out of the two mistakes that people make most. */
const explain = (document: PlatformDocument, scope: string): string => {
  const lowered = scope.toLowerCase();
  if (scope.includes(',')) return 'Separate the scopes by spaces, not by commas';
  if (document.scopes.some(({ name }) => name === lowered)) return `Scopes are lower case: write ${lowered}`;
  return `The scope ${scope} cannot be granted`;
};

/**
 * The scopes that an authorization request comes to.
 *
 * @throws OAuthError `invalid_scope`; `invalid_request` where the platform has no defaults and the parameter is missing.
 * @see RFC 6749 §3.3
 */
export const checkScopes = (document: PlatformDocument, client: ClientRecord, scope: string | undefined): readonly string[] => {
  const requested = parseScope(scope);
  if (requested.length === 0 && document.switches.scopeParameterRequired)
    throw new OAuthError('invalid_request', { description: 'scope is required: name the scopes, separated by spaces' });
  const decided = grantableScopes({ document, client, requested });
  switch (decided.outcome) {
    case 'granted':
      return decided.scopes;
    case 'required_scope_missing':
      throw new OAuthError('invalid_scope', { description: `Every request to this platform has to name the scope ${decided.scope}` });
    case 'invalid_scope':
      throw new OAuthError('invalid_scope', {
        description:
          decided.scope === null ? 'The request names no scope, and the platform has no default' : explain(document, decided.scope),
      });
  }
};
