import { canonicalResource, resourceMetadataUrl } from '@grantlog/protocol';
import type { OnProblem } from './problem.ts';
import type { SpendProof } from './proof-memory.ts';
import { isSecureUrl, requireIssuer } from './secure-url.ts';

export type GuardOptions = {
  /** The authorization server, exactly as it names itself in its metadata. */
  readonly issuer: string;
  /** This resource, exactly as tokens name it in `aud`. */
  readonly resource: string;
  /** A confidential client that serves this resource. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** What challenges call the place. Default: the last segment of the issuer's path, or its host where it has no path. */
  readonly realm?: string;
  /** Milliseconds for one request to the authorization server, to its last byte; default 5,000. */
  readonly timeoutMs?: number;
  /** Replaces the global fetch, for a proxy or a certificate of one's own. */
  readonly fetch?: typeof globalThis.fetch;
  /** Hears of what an operator has to fix, each kind at most once a minute; default a process warning. */
  readonly onProblem?: OnProblem;
  /**
   * Takes each proof of possession once (RFC 9449 §11.1); default: by the memory of this process. Where several processes serve the
   * resource, name a place that they share, or each of them takes the same proof once.
   */
  readonly spendProof?: SpendProof;
  /** Milliseconds since the epoch; default the system's clock. */
  readonly now?: () => number;
};

export type Settings = {
  readonly issuer: string;
  readonly resource: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly realm: string;
  readonly resourceMetadata: string;
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
};

/** What one request to the authorization server goes by: the settings, and who may end it early. */
export type Asking = Settings & { readonly signal?: AbortSignal | undefined };

const realmOf = (issuer: string): string => {
  const { pathname, hostname } = new URL(issuer);
  const last = pathname.split('/').findLast((segment) => segment !== '');
  return last ?? hostname;
};

/** @throws TypeError that names the option and what to write instead; never the secret. */
export const readOptions = (options: GuardOptions): Settings => {
  const { issuer, resource, clientId, clientSecret, timeoutMs = 5_000 } = options;
  requireIssuer(issuer);
  const canonical = isSecureUrl(resource) ? canonicalResource(resource) : null;
  if (canonical === null) throw new TypeError('resource must be an https URL without a fragment (http on loopback alone)');
  // Tokens name the canonical spelling, so another one would never match.
  if (canonical !== resource) throw new TypeError(`resource must be spelt as tokens name it: ${canonical}`);
  if (!/^[\x20-\x7e]+$/.test(clientId)) throw new TypeError('clientId must be the id of a registered client');
  if (!/^[\x20-\x7e]+$/.test(clientSecret)) throw new TypeError("clientSecret must be that client's secret");
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1) throw new TypeError('timeoutMs must be a whole number of milliseconds above 0');
  return {
    issuer,
    resource,
    clientId,
    clientSecret,
    realm: options.realm ?? realmOf(issuer),
    resourceMetadata: resourceMetadataUrl(resource),
    timeoutMs,
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
  };
};
