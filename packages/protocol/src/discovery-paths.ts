/** One place where clients look for an issuer's metadata. */
export type DiscoveryPath = {
  readonly document: 'oauth-authorization-server' | 'openid-configuration';
  /** `inserted`: RFC 8414 §3.1, before the issuer's path. `appended`: OIDC Discovery §4, after it. */
  readonly form: 'inserted' | 'appended';
  /** Absolute path on the issuer's host. */
  readonly path: string;
};

const pathOf = (url: string): string => {
  const { pathname } = new URL(url);
  return pathname === '/' ? '' : pathname;
};

/**
 * Every path under which clients in the field ask for an issuer's metadata.
 *
 * RFC 8414 inserts, OIDC Discovery appends, clients try both with both names, so a path issuer has four.
 * An issuer without a path has two, where inserting and appending are the same.
 */
export const discoveryPaths = (issuer: string): readonly DiscoveryPath[] => {
  const path = pathOf(issuer);
  const inserted = (['oauth-authorization-server', 'openid-configuration'] as const).map(
    (document): DiscoveryPath => ({ document, form: 'inserted', path: `/.well-known/${document}${path}` }),
  );
  if (path === '') return inserted;
  return [
    ...inserted,
    { document: 'openid-configuration', form: 'appended', path: `${path}/.well-known/openid-configuration` },
    { document: 'oauth-authorization-server', form: 'appended', path: `${path}/.well-known/oauth-authorization-server` },
  ];
};

/**
 * Paths of a protected resource's metadata: the inserted form first, then the host's root, which clients try next.
 * The root belongs to one resource of the host at most; which one, the server decides.
 *
 * @see RFC 9728 §3.1
 */
export const protectedResourcePaths = (resource: string): readonly string[] => {
  const path = pathOf(resource);
  const root = '/.well-known/oauth-protected-resource';
  return path === '' ? [root] : [`${root}${path}`, root];
};

/** The URL of a resource's metadata, as a challenge names it. */
export const resourceMetadataUrl = (resource: string): string => {
  const { origin, search } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathOf(resource)}${search}`;
};
