import { verifiableAlgs } from '@grantlog/crypto';
import { protectedResourceMetadata } from '@grantlog/protocol';
import type { Settings } from './options.ts';

/** What a resource says of itself, and where it has to be found. */
export type PublishedMetadata = {
  /** On the origin of the resource, from its first slash on. */
  readonly path: string;
  /** Send it as application/json with 200, and `Access-Control-Allow-Origin: *`: clients in browsers read it, too. */
  readonly document: Readonly<Record<string, unknown>>;
};

export const publishedMetadata = (
  { resource, issuer, resourceMetadata }: Pick<Settings, 'resource' | 'issuer' | 'resourceMetadata'>,
  { scopes, name }: { readonly scopes?: readonly string[]; readonly name?: string },
): PublishedMetadata => {
  const { pathname, search } = new URL(resourceMetadata);
  return {
    path: pathname + search,
    document: protectedResourceMetadata({
      resource,
      authorizationServers: [issuer],
      scopesSupported: scopes,
      name,
      dpopSigningAlgValuesSupported: verifiableAlgs,
    }),
  };
};
