/** What a browser says about a request that it sends; header names in lower case, as node:http shows them. */
export type FetchedRequest = {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
};

/**
 * Whether a page of another origin had the browser send this by itself: a picture, a frame, a form. The browser adds the
 * HTTP Basic credentials that it remembers. A link that somebody follows is their own request, and of a script's with
 * CORS nobody can tell here whether it named the credentials itself, which a preflight asks about.
 *
 * @returns false where the browser says nothing: a program, or a browser of before 2023.
 * @see Fetch Metadata Request Headers §2
 */
export const isSentByForeignPage = ({ method, headers }: FetchedRequest): boolean => {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = headers;
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  if (mode === 'navigate') return dest !== 'document' || (method !== 'GET' && method !== 'HEAD');
  return mode !== 'cors';
};

/** What whoever sent such a request with HTTP Basic is told. */
export const foreignPageRefusal =
  'Pages of other origins cannot use the credentials that a browser remembers. Open the resource itself, or ask from a program';
