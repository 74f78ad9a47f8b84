import type { PlatformDocument } from '@grantlog/domain';
import { OAuthError, parseResourceIndicator } from '@grantlog/protocol';
import { findResource } from '../../platforms/own-resources.ts';

export type CheckedResources = {
  /** The platform's own spelling of each: what tokens carry is what the metadata says (RFC 8707 §2). */
  readonly resources: readonly string[];
  /** The one context that some of them are of; null where the person may choose. Whose it is, is not known yet. */
  readonly pinnedContext: string | null;
};

const refuse = (description: string): OAuthError => new OAuthError('invalid_target', { description });

/**
 * The resources that a request comes to.
 *
 * @throws OAuthError `invalid_target`
 */
export const checkResources = (document: PlatformDocument, issuer: string, asked: readonly string[]): CheckedResources => {
  // Many clients never name the resource; where there is only one, it is meant (RFC 8707 §2).
  const [only] = document.resources;
  if (asked.length === 0)
    return { resources: only !== undefined && document.resources.length === 1 ? [only.uri] : [], pinnedContext: null };
  const found = asked.map(parseResourceIndicator).map((resource) => {
    const known = findResource(document, issuer, resource);
    if (known === null) throw refuse('resource is not one of this platform');
    return known;
  });
  const [pinnedContext = null, ...others] = new Set(found.flatMap(({ context }) => context ?? []));
  // A grant has one context: its tokens would else say less than its resources do.
  if (others.length > 0) throw refuse('The resources are of different contexts; ask for one at a time');
  return { resources: [...new Set(found.map(({ uri }) => uri))], pinnedContext };
};
