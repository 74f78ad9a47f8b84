import type { Egress } from '@grantlog/egress';
import { type Bounds, freshSeconds } from './freshness.ts';
import { readAnswer, type Unavailable, unavailable } from './read-answer.ts';
import { recentlyUsed } from './recently-used.ts';

/** What a URL holds. */
type FetchedDocument<T> =
  | {
      readonly outcome: 'document';
      readonly value: T;
      /** Milliseconds since the epoch, by this process's clock. */
      readonly fetchedAt: number;
    }
  | Unavailable;

type DocumentRequest = {
  /** Whether this request may go to this machine itself; it cannot grant what the egress withholds. */
  readonly allowLoopback: boolean;
  /** Not content with what was fetched at this instant or before, where the floor since then has passed: for a key that is not among the known ones. */
  readonly newerThan?: number;
  /** Asked where this caller is the one to send a request: null to let it, or words for why not. What is at hand is answered without. */
  readonly admit?: () => Promise<string | null>;
};

/** Documents that strangers name, each fetched once for a crowd. */
export type DocumentCache<T> = {
  /** Rejects for a defect of `read` or `admit` alone, never for what a site does. */
  readonly get: (url: string, request: DocumentRequest) => Promise<FetchedDocument<T>>;
};

type Found<T> = Extract<FetchedDocument<T>, { outcome: 'document' }>;
type Kept<T> = { readonly document: Found<T>; readonly freshUntil: number; readonly staleUntil: number };
type Begun<T> = FetchedDocument<T> | { readonly outcome: 'not_admitted'; readonly why: string };

/** Seconds for which a failure is told again without asking: enough for a crowd, and a repaired site is soon seen. */
const dampedSeconds = 5;
/** Requests under way. Each may take as long as the egress waits. */
const maxUnderWay = 32;

/**
 * Makes a cache of documents by URL: one request for all who ask at once, kept as long as the response's headers say within
 * bounds, and no more of them than fit. Errors and invalid documents are never kept beyond a damping of seconds.
 *
 * The documents are public, so platforms share them; what a platform makes of one is its own.
 *
 * @param options.read makes the document of its JSON; throws an OAuthError in words for whoever looks at the page.
 * @param options.staleSeconds after it is not fresh any more, for which a document stands in where its site does not answer; default 0.
 * @param options.maxBytes of a document; default, and at most, 65,536.
 */
export const createDocumentCache = <T>(
  options: Bounds & {
    readonly egress: Pick<Egress, 'request'>;
    readonly read: (json: unknown, url: string) => T;
    readonly maxEntries: number;
    readonly staleSeconds?: number;
    readonly maxBytes?: number;
    /** Replaces this process's clock. */
    readonly now?: () => number;
  },
): DocumentCache<T> => {
  const { egress, maxEntries, staleSeconds = 0, maxBytes = 65_536, now = Date.now } = options;
  const documents = recentlyUsed<Kept<T>>(maxEntries);
  // Apart from the documents: made-up URLs must not push good ones out.
  const failures = recentlyUsed<{ readonly told: Unavailable; readonly until: number }>(maxEntries);
  const underWay = new Map<string, Promise<Begun<T>>>();

  const fetchNow = async (key: string, url: string, { allowLoopback, admit }: DocumentRequest): Promise<Begun<T>> => {
    const why = (await admit?.()) ?? null;
    if (why !== null) return { outcome: 'not_admitted', why };
    const answer = await egress.request({ url, method: 'GET', headers: { accept: 'application/json' }, allowLoopback });
    const read = readAnswer(answer, { read: (json) => options.read(json, url), maxBytes });
    const fetchedAt = now();
    if (read.outcome === 'unavailable') {
      failures.set(key, { told: read, until: fetchedAt + dampedSeconds * 1000 });
      return read;
    }
    const fresh = freshSeconds(answer.kind === 'response' ? answer.headers : {}, options);
    const document: Found<T> = { outcome: 'document', value: read.value, fetchedAt };
    const freshUntil = fetchedAt + fresh * 1000;
    documents.set(key, { document, freshUntil, staleUntil: freshUntil + staleSeconds * 1000 });
    failures.delete(key);
    return document;
  };

  const begin = (key: string, url: string, request: DocumentRequest): Promise<Begun<T>> => {
    const fetching = fetchNow(key, url, request).finally(() => underWay.delete(key));
    underWay.set(key, fetching);
    return fetching;
  };

  const suffices = ({ document, freshUntil }: Kept<T>, { newerThan }: DocumentRequest): boolean => {
    const at = now();
    if (at >= freshUntil) return false;
    return newerThan === undefined || document.fetchedAt > newerThan || at < document.fetchedAt + options.floorSeconds * 1000;
  };

  const ask = async (key: string, url: string, request: DocumentRequest): Promise<FetchedDocument<T>> => {
    for (;;) {
      const failure = failures.get(key);
      if (failure !== undefined && now() < failure.until) return failure.told;
      const joined = underWay.get(key);
      if (joined === undefined && underWay.size >= maxUnderWay)
        return unavailable('Too many documents are being fetched just now; try again in a moment');
      const begun = await (joined ?? begin(key, url, request));
      if (begun.outcome !== 'not_admitted') return begun;
      // One who may not ask speaks for nobody else.
      if (joined === undefined) return unavailable(begun.why);
    }
  };

  return {
    get: async (url, request) => {
      // What came from this machine is not for those who may not ask it.
      const key = `${request.allowLoopback ? 'any' : 'public'} ${url}`;
      const kept = documents.get(key);
      if (kept !== undefined && suffices(kept, request)) return kept.document;
      const found = await ask(key, url, request);
      return found.outcome === 'unavailable' && kept !== undefined && now() < kept.staleUntil ? kept.document : found;
    },
  };
};
