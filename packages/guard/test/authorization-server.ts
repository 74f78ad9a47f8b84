import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
};

/** One answer: a JSON object with 200, or anything else by hand. */
export type Reply = Readonly<Record<string, unknown>> | ((request: IncomingMessage, response: ServerResponse) => void);

const read = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
};

const send = (reply: Reply, request: IncomingMessage, response: ServerResponse): void => {
  if (typeof reply === 'function') reply(request, response);
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
};

/** An authorization server that says what a test wants it to say, and remembers what it was asked. */
export const startAuthorizationServer = async () => {
  const replies = new Map<string, Reply>();
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    received.push({ path, method: request.method ?? '', headers: request.headers, form: new URLSearchParams(await read(request)) });
    const reply = replies.get(path);
    if (reply === undefined) response.writeHead(404).end();
    else send(reply, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `${origin}/arlo`;
  const resource = `${issuer}/api/2012-02-01/auth/resources`;
  const paths = {
    metadata: '/.well-known/oauth-authorization-server/arlo',
    introspection: '/arlo/oauth/introspect',
    basic: '/arlo/oauth/basicvalidation',
    context: '/arlo/oauth/context',
    keys: '/arlo/.well-known/jwks.json',
  };
  const metadata = {
    issuer,
    introspection_endpoint: origin + paths.introspection,
    basic_validation_endpoint: origin + paths.basic,
    grant_context_endpoint: origin + paths.context,
    jwks_uri: origin + paths.keys,
    challenge_compatibility: 'arlo',
  };
  return {
    origin,
    issuer,
    resource,
    metadata,
    resourceMetadata: `${origin}/.well-known/oauth-protected-resource/arlo/api/2012-02-01/auth/resources`,
    reply: (place: keyof typeof paths, reply: Reply): void => void replies.set(paths[place], reply),
    asked: (place: keyof typeof paths): readonly Received[] => received.filter(({ path }) => path === paths[place]),
    /** Everything good again, and nothing remembered. */
    reset: (): void => {
      received.length = 0;
      replies.clear();
      replies.set(paths.metadata, metadata);
      replies.set(paths.introspection, { active: false });
      replies.set(paths.keys, { keys: [] });
      replies.set(paths.basic, { active: false, reason: 'invalid_credentials', description: 'Wrong user name or password' });
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

export type FakeAuthorizationServer = Awaited<ReturnType<typeof startAuthorizationServer>>;

/** A reply with a status, for what is no JSON of 200. */
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Reply =>
  (_request, response) => {
    response.writeHead(code, headers).end(body);
  };
