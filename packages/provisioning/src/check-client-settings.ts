import type { ClientSettings, PlatformDocument } from '@grantlog/domain';
import { isAssignableRole } from './assignable-role.ts';

export type UnknownToPlatform = 'unknown_scope' | 'unknown_role' | 'unknown_resource';

/** What a client's settings name that its platform does not have, or null. */
export const unknownToPlatform = (
  document: PlatformDocument,
  settings: Partial<Pick<ClientSettings, 'scopes' | 'roles' | 'serves'>>,
): UnknownToPlatform | null => {
  const scopes = new Set(document.scopes.map((scope) => scope.name));
  if (settings.scopes?.some((scope) => !scopes.has(scope))) return 'unknown_scope';
  if (settings.roles?.some((role) => !isAssignableRole(document, role))) return 'unknown_role';
  // Introspection compares byte for byte: a resource with a typing error would be served by nobody, silently.
  const resources = new Set(document.resources.map((resource) => resource.uri));
  return settings.serves?.some((uri) => !resources.has(uri)) ? 'unknown_resource' : null;
};
