import * as oauth from 'oauth4webapi';

type ApiAnswer =
  | { readonly kind: 'served'; readonly status: number; readonly summary: string }
  | { readonly kind: 'challenged'; readonly status: number; readonly header: string; readonly error: string | undefined };

/** An example API of a platform, as an app of somebody else calls it. */
export type ExampleApi = {
  /** The request as the story tells it, without the token. */
  readonly request: string;
  readonly call: (token: string) => Promise<ApiAnswer>;
};

/** One request of its app: what its examples are about. */
type Call = { readonly url: URL; readonly method: 'GET' | 'POST'; readonly body: string | null; readonly request: string };

const events = (resource: string): Call => {
  const url = new URL(`${resource}/events/`);
  return { url, method: 'GET', body: null, request: `GET ${url.href}` };
};

const tools = (resource: string): Call => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
  return { url: new URL(resource), method: 'POST', body, request: `POST ${resource} tools/list (MCP)` };
};

/** What the API answers through when nobody runs behind it. */
const nobodyThere: ReadonlySet<number> = new Set([502, 504]);

const longest = 160;

/** A body as one line, cut where it grows long. */
const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest)}…`;
};

/**
 * The events of the platform's example resource, or the tools where it is an MCP server; null where its process does not run, as
 * in an installed image.
 *
 * @param resource the URI of the example resource, without a slash at its end.
 */
export const findExampleApi = async (
  resource: string | undefined,
  insecure: oauth.ProtectedResourceRequestOptions,
): Promise<ExampleApi | null> => {
  if (resource === undefined) return null;
  // Its index is open to everybody, so that its answer says nothing of tokens. An MCP server has none.
  const index = await fetch(`${resource}/`, { headers: { accept: 'application/json' } });
  await index.body?.cancel();
  if (nobodyThere.has(index.status)) return null;
  const { url, method, body, request } = index.status === 404 ? tools(resource) : events(resource);
  return {
    request,
    call: async (token) => {
      try {
        const headers = new Headers({ accept: body === null ? 'application/json' : 'application/json, text/event-stream' });
        if (body !== null) headers.set('content-type', 'application/json');
        const response = await oauth.protectedResourceRequest(token, method, url, headers, body, insecure);
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
