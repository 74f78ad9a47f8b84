import type { JwtVerification, PublicJwk } from '@grantlog/crypto';
import type { Egress } from '@grantlog/egress';
import { OAuthError, readClientKeys } from '@grantlog/protocol';
import { createDocumentCache } from '../metadata-documents/cached-document.ts';

type Asked = {
  readonly allowLoopback: boolean;
  /** Asked before a request is sent: null to let it, or words for why not. */
  readonly admit?: () => Promise<string | null>;
};

/** What a JWT comes to that is signed by whoever has its keys at a URL. */
export type RemoteVerification = JwtVerification | { readonly outcome: 'unavailable'; readonly why: string };

/** The public keys that others publish (RFC 7517 §5), by the URL of their JWK set. */
export type RemoteKeys = {
  /** The keys as they were published when they were last asked for; null where they cannot be had. */
  readonly of: (url: string, asked: Asked) => Promise<readonly PublicJwk[] | null>;
  /**
   * Verifies with the keys of a URL. Where none of them fits they may have been rotated, so they are fetched anew and `verify`
   * is asked a second time; no more than one request in ten seconds comes of it, however many JWTs are shown.
   */
  readonly verify: (
    url: string,
    asked: Asked,
    verify: (keys: readonly PublicJwk[]) => Promise<JwtVerification>,
  ) => Promise<RemoteVerification>;
};

const readKeys = (json: unknown): readonly PublicJwk[] => {
  const set = readClientKeys(json);
  if (set === null) throw new OAuthError('invalid_client_metadata', { description: 'The document is no JWK set' });
  // What was read has a kty, and of its other members only those of a public key.
  return set.keys as readonly PublicJwk[];
};

/** Whether other keys might have verified it. A signature fails the same way where a client reuses a `kid`, or names none. */
const wantsOtherKeys = (verified: JwtVerification): boolean =>
  verified.outcome === 'refused' && (verified.reason === 'no_matching_key' || verified.reason === 'bad_signature');

/**
 * Makes the look-up of keys over the cache of documents: one request for a crowd, kept as long as the site says, for ten
 * seconds at least and an hour at most; while the site does not answer, for an hour more.
 *
 * @param options.now replaces this process's clock.
 */
export const createRemoteKeys = (options: { readonly egress: Pick<Egress, 'request'>; readonly now?: () => number }): RemoteKeys => {
  const sets = createDocumentCache({
    egress: options.egress,
    read: readKeys,
    floorSeconds: 10,
    ceilingSeconds: 3_600,
    staleSeconds: 3_600,
    maxEntries: 1_000,
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  return {
    of: async (url, asked) => {
      const found = await sets.get(url, asked);
      return found.outcome === 'document' ? found.value : null;
    },
    verify: async (url, asked, verify) => {
      const found = await sets.get(url, asked);
      if (found.outcome === 'unavailable') return found;
      const verified = await verify(found.value);
      if (!wantsOtherKeys(verified)) return verified;
      const again = await sets.get(url, { ...asked, newerThan: found.fetchedAt });
      return again.outcome === 'unavailable' || again.fetchedAt === found.fetchedAt ? verified : verify(again.value);
    },
  };
};
