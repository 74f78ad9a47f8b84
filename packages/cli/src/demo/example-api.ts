import * as oauth from 'oauth4webapi';

type ApiAnswer =
  | { readonly kind: 'served'; readonly status: number; readonly summary: string }
  | { readonly kind: 'challenged'; readonly status: number; readonly header: string; readonly error: string | undefined };

/** An example API of a platform, as an app of somebody else calls it. */
export type ExampleApi = { readonly url: string; readonly get: (token: string) => Promise<ApiAnswer> };

/** What the API answers through when nobody runs behind it. */
const nobodyThere: ReadonlySet<number> = new Set([502, 504]);

const longest = 160;

/** A body as one line, cut where it grows long. */
const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest)}…`;
};

/**
 * The events of the platform's example resource; null where its process does not run, as in an installed image.
 *
 * @param resource the URI of the example resource, without a slash at its end.
 */
export const findExampleApi = async (
  resource: string | undefined,
  insecure: oauth.ProtectedResourceRequestOptions,
): Promise<ExampleApi | null> => {
  if (resource === undefined) return null;
  // Its index is open to everybody, so that its answer says nothing of tokens.
  const index = await fetch(`${resource}/`, { headers: { accept: 'application/json' } });
  await index.body?.cancel();
  if (nobodyThere.has(index.status)) return null;
  const url = new URL(`${resource}/events/`);
  return {
    url: url.href,
    get: async (token) => {
      try {
        const headers = new Headers({ accept: 'application/json' });
        const response = await oauth.protectedResourceRequest(token, 'GET', url, headers, null, insecure);
        return { kind: 'served', status: response.status, summary: oneLine(await response.text()) };
      } catch (error) {
        if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
        const bearer = error.cause.find(({ scheme }) => scheme === 'bearer');
        const header = error.response.headers.get('www-authenticate') ?? '';
        await error.response.body?.cancel();
        return { kind: 'challenged', status: error.status, header, error: bearer?.parameters.error };
      }
    },
  };
};
