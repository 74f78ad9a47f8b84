import type { PlatformDocument, ResourceDefinition } from '@grantlog/domain';

/** A resource that is reached through us, and what of the request's path lies below it. */
export type Upstream = {
  readonly resource: ResourceDefinition;
  /** Where it is for everybody: its URI without a trailing slash. */
  readonly publicUrl: string;
  /** Where it runs, as an origin and a path without a trailing slash. */
  readonly url: string;
  /** Empty, or from a slash on. As the client spelled it. */
  readonly rest: string;
};

const withoutSlash = (text: string): string => text.replace(/\/+$/, '');

/** Of the configured URL the origin and the path: userinfo and query would reach logs and every request. */
const locate = (upstream: string): string => {
  const { origin, pathname } = new URL(upstream);
  return withoutSlash(origin + pathname);
};

/**
 * The resource of the platform that a path below its issuer belongs to: of several the one with the longest URI, compared
 * by whole segments and byte for byte. Null where none with an upstream matches. A resource elsewhere than under the
 * platform's issuer is not reached through us, so no platform answers for what is another's.
 */
export const findUpstream = (platform: {
  readonly document: PlatformDocument;
  readonly issuer: string;
  /** From the slash after the issuer on, without a query. */
  readonly path: string;
}): Upstream | null => {
  const { document, issuer, path } = platform;
  const matches = document.resources.flatMap((resource): readonly Upstream[] => {
    const { uri, upstream } = resource;
    const publicUrl = withoutSlash(uri);
    if (upstream === null || uri.includes('?') || !`${publicUrl}/`.startsWith(`${issuer}/`)) return [];
    const below = publicUrl.slice(issuer.length);
    if (path !== below && !path.startsWith(`${below}/`)) return [];
    return [{ resource, publicUrl, url: locate(upstream), rest: path.slice(below.length) }];
  });
  return matches.toSorted((one, other) => other.publicUrl.length - one.publicUrl.length)[0] ?? null;
};
