import type { PlatformDocument } from '@grantlog/domain';
import { parseScope, readParameters } from '@grantlog/protocol';

/** Whether the scopes come to `openid`, by name or by default; one that cannot be read counts as if they did. */
export const asksForOpenid = (document: PlatformDocument, source: unknown): boolean => {
  try {
    const requested = parseScope(readParameters(source, ['scope']).get('scope'));
    return document.scopes.some(
      ({ name, required, default: byDefault }) =>
        name === 'openid' && (required || (requested.length === 0 ? byDefault : requested.includes(name))),
    );
  } catch {
    return true;
  }
};
