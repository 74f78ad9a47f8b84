import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const isReadiness = ({ method, url }: IncomingMessage): boolean => url === '/readyz' && (method === 'GET' || method === 'HEAD');

const placeOf = ({ url }: IncomingMessage): string => /^\/([^/?]*)/.exec(url ?? '')?.[1] ?? '';

const sendJson = (response: ServerResponse, status: number, value: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
};

/** Makes the HTTP server of the resources, each under the first segment of its paths; the caller lets it listen. */
export const createResourceServer = (resources: ReadonlyMap<string, Handler>): Server => {
  const server = createServer((request, response) => {
    if (isReadiness(request)) return sendJson(response, 200, { status: 'ready' });
    const handler = resources.get(placeOf(request));
    if (handler !== undefined) return handler(request, response);
    sendJson(response, 404, { error: 'not_found', error_description: `Nothing is here but /${[...resources.keys()].join(', /')}` });
  });
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  return server;
};
