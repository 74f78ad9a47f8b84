import type { PlatformDocument } from '@grantlog/domain';
import { parsePlatformId, systemPlatform } from '@grantlog/domain';

/**
 * Whether an account or a client of the platform may be given a role: one that its document lists.
 *
 * On the system platform each listed role also exists narrowed to one other platform, as `operator:arlo`; that
 * platform need not exist yet. It is never narrowed to `system` itself: who manages operators can become any of them.
 */
export const isAssignableRole = (document: Pick<PlatformDocument, 'name' | 'roles'>, role: string): boolean => {
  if (document.roles.includes(role)) return true;
  if (document.name !== systemPlatform) return false;
  const [, listed = '', platform = ''] = /^(.+):([^:]+)$/.exec(role) ?? [];
  return document.roles.includes(listed) && parsePlatformId(platform) !== null && platform !== systemPlatform;
};
