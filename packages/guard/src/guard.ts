import { verifiableAlgs } from '@grantlog/crypto';
import { type FetchedRequest, foreignPageRefusal, isSentByForeignPage } from '@grantlog/protocol';
import { checkAccessToken } from './access-token.ts';
import { defaultRetryAfter } from './ask-as-client.ts';
import { readAuthorization } from './authorization-header.ts';
import { checkBasic } from './basic.ts';
import { createDiscovery } from './discovery.ts';
import { type GuardOptions, readOptions, type Settings } from './options.ts';
import type { GuardOutcome } from './outcome.ts';
import { createReporter, type OnProblem } from './problem.ts';
import { createProofMemory, type SpendProof } from './proof-memory.ts';
import { type PublishedMetadata, publishedMetadata } from './published-metadata.ts';
import { type Place, refuseAccount, refuseToken, unauthenticated, unavailable } from './refusals.ts';
import { type ContextRefusal, type ContextSelected, selectContext, undecided } from './select-context.ts';

/** A request as node:http shows it. */
export type GuardedRequest = FetchedRequest & { readonly url?: string | undefined };

/** What is known of one request. */
export type GuardRequest = {
  /**
   * Every Authorization header as it came (`headersDistinct` of node:http); several are refused. Tokens in a query or a
   * body are none of a guard's business.
   */
  readonly authorization: string | readonly string[] | undefined;
  /** Every scope that the operation needs, as a list or parted by spaces; an empty one asks for a good token alone. */
  readonly scope: string | readonly string[];
  /**
   * The caller's IP address, by which guesses at passwords are throttled. HTTP Basic without one is not judged: 503, and
   * `onProblem` hears of it. A token is judged without it.
   */
  readonly clientAddress: string | undefined;
  /**
   * The request itself, such as that of node:http: its method, its headers, their names in lower case, and its url. By its
   * `Sec-Fetch-*` headers HTTP Basic is refused that a page of another origin had a browser send; without it all is judged. Without
   * it a token that is bound to a key is not judged: 503, and `onProblem` hears of it.
   */
  readonly request?: GuardedRequest | undefined;
  /**
   * The URL of the request as its client knows it, which proofs of possession name; the query plays no part. Default: the path of
   * `request.url` at the origin of the resource, which is right where nothing in front of this server changes paths.
   */
  readonly url?: string | undefined;
  /** Aborts when nobody waits for the outcome any more: the authorization server is then asked no longer. */
  readonly signal?: AbortSignal | undefined;
};

export type Guard = {
  /** Decides one request. Never rejects, and never allows what the authorization server did not allow just now. */
  readonly check: (request: GuardRequest) => Promise<GuardOutcome>;
  /**
   * Changes the object that the grant of a token is for, as its person asked: a fact of the authorization server's, which every
   * later token has. Only of a token that `check` has allowed. Never rejects.
   */
  readonly selectContext: (change: { readonly token: string; readonly context: string }) => Promise<ContextSelected | ContextRefusal>;
  /**
   * The guard of another resource of this server, such as one for each object below it: same issuer, same client, and one
   * reading of the authorization server's metadata for all. Cheap to make.
   *
   * @throws TypeError for a resource that cannot be right.
   */
  readonly at: (resource: string) => Guard;
  /**
   * The document that every challenge names in `resource_metadata`. Serve it to everybody, unless the authorization
   * server does: it serves those of the resources under its own issuer.
   *
   * @param about.scopes what clients will ask a person for.
   * @see RFC 9728 §3
   */
  readonly metadata: (about?: { readonly scopes?: readonly string[]; readonly name?: string }) => PublishedMetadata;
};

const noCredentials = { error: 'not_authenticated', error_description: 'Credentials are required in the Authorization header' };
const foreignPage = { error: 'access_denied', error_description: foreignPageRefusal };
const unreadableBasic = { error: 'invalid_credentials', error_description: 'The Basic credentials cannot be read' };

/**
 * Makes the guard of one protected resource.
 *
 * It reads the authorization server's metadata when first asked, and again every five minutes. Tokens are introspected at
 * every request, no outcome is kept. HTTP Basic is judged where the metadata offers it; it gives what the account's roles
 * give, whatever `scope` a request names.
 *
 * @throws TypeError for an option that cannot be right, naming it; never its secret.
 * @see RFC 6750; RFC 7662; RFC 8414; RFC 9449; RFC 9728
 */
export const createGuard = (options: GuardOptions): Guard => {
  const settings = readOptions(options);
  const report = createReporter(options.onProblem, settings.now);
  const spendProof = options.spendProof ?? createProofMemory(settings.now);
  return guardOf(options, { settings, report, discover: createDiscovery(settings, report), spendProof });
};

type Known = {
  readonly settings: Settings;
  readonly report: OnProblem;
  readonly discover: ReturnType<typeof createDiscovery>;
  readonly spendProof: SpendProof;
};

const guardOf = (options: GuardOptions, { settings, report, discover, spendProof }: Known): Guard => {
  const check = async (request: GuardRequest): Promise<GuardOutcome> => {
    const server = await discover();
    if (server === null) return unavailable(defaultRetryAfter);
    const endpoint = server.basicValidationEndpoint;
    const { realm, resourceMetadata } = settings;
    const asking = { ...settings, signal: request.signal };
    const shown = readAuthorization(request.authorization);
    const isProved = 'scheme' in shown && shown.scheme === 'DPoP';
    const place: Place = {
      realm,
      resourceMetadata,
      scope: [request.scope].flat().flatMap((each) => each.split(' ').filter((name) => name !== '')),
      compatibility: server.compatibility,
      takesBasic: endpoint !== null,
      dpop: isProved ? { scheme: 'DPoP', algs: verifiableAlgs } : undefined,
    };

    switch (shown.kind) {
      case 'none':
        return unauthenticated(place, noCredentials);
      case 'token':
        return checkAccessToken({ settings: asking, server, report, place, spendProof, request }, shown);
      case 'malformed_request':
        return refuseToken(place, 'invalid_request', `There must be one Authorization header, of ${shown.scheme} and one access token`);
      case 'malformed_token':
        return refuseToken(place, 'invalid_token', 'The access token is malformed');
      case 'basic':
        if (endpoint === null) return unauthenticated(place, noCredentials);
        // Nobody asked for it, so nothing is judged or counted, and no challenge would have the browser ask its person.
        if (request.request !== undefined && isSentByForeignPage(request.request)) return refuseAccount(foreignPage, null);
        return checkBasic({ settings: asking, endpoint, report, place }, { ...shown, clientAddress: request.clientAddress });
      case 'malformed_basic':
        return unauthenticated(place, endpoint === null ? noCredentials : unreadableBasic);
    }
  };
  return {
    check,
    selectContext: async (change) => {
      const server = await discover();
      return server === null ? undecided : selectContext({ settings, server, report }, change);
    },
    at: (resource) => guardOf(options, { settings: readOptions({ ...options, resource }), report, discover, spendProof }),
    metadata: (about = {}) => publishedMetadata(settings, about),
  };
};
