import type { PlatformDocument } from '@grantlog/domain';
import { OAuthError, parseResourceIndicator, sameResource } from '@grantlog/protocol';
import { resourcesOf } from '../../platforms/own-resources.ts';

/**
 * The platform's own spelling of each resource asked for: what tokens carry is what the metadata says (RFC 8707 §2).
 *
 * @throws OAuthError `invalid_target`
 */
export const checkResources = (document: PlatformDocument, issuer: string, asked: readonly string[]): readonly string[] => {
  // Many clients never name the resource; where there is only one, it is meant (RFC 8707 §2).
  const [only] = document.resources;
  if (asked.length === 0) return only !== undefined && document.resources.length === 1 ? [only.uri] : [];
  const resources = resourcesOf(document, issuer);
  const found = asked.map(parseResourceIndicator).map((resource) => resources.find((known) => sameResource(known.uri, resource))?.uri);
  const known = found.flatMap((uri) => uri ?? []);
  if (known.length !== found.length) throw new OAuthError('invalid_target', { description: 'resource is not one of this platform' });
  return [...new Set(known)];
};
