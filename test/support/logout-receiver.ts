import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';

const eventOfLogout = 'http://schemas.openid.net/event/backchannel-logout';

/** A logout token whose every rule was kept. */
export type HeardLogout = {
  readonly jti: string;
  readonly sub: string;
  readonly sid: string;
  readonly alg: string;
  readonly kid: string;
  readonly claims: JWTPayload;
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || value === '') throw new Error(`no ${name}`);
  return value;
};

/** What a relying party checks (OIDC Back-Channel Logout §2.6), by jose. @throws whatever is wrong. */
const read = async (
  request: IncomingMessage,
  expected: { readonly issuer: string; readonly clientId: string; readonly jwks: () => Promise<JSONWebKeySet> },
): Promise<HeardLogout> => {
  const type = request.headers['content-type'];
  if (request.method !== 'POST' || type !== 'application/x-www-form-urlencoded') throw new Error(`${request.method} of ${type}`);
  const form = new URLSearchParams(await bodyOf(request));
  if ([...form.keys()].join() !== 'logout_token') throw new Error(`the form has ${[...form.keys()].join()}`);
  const { payload, protectedHeader } = await jwtVerify(form.get('logout_token') ?? '', createLocalJWKSet(await expected.jwks()), {
    issuer: expected.issuer,
    audience: expected.clientId,
    typ: 'logout+jwt',
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
    maxTokenAge: 30,
  });
  const events = payload['events'] as Readonly<Record<string, unknown>> | undefined;
  if (JSON.stringify(events?.[eventOfLogout]) !== '{}') throw new Error(`events are ${JSON.stringify(events)}`);
  if ('nonce' in payload) throw new Error('there is a nonce');
  if ((payload.exp ?? 0) - (payload.iat ?? 0) > 120) throw new Error('it lives longer than two minutes');
  return {
    jti: text(payload.jti, 'jti'),
    sub: text(payload.sub, 'sub'),
    sid: text(payload['sid'], 'sid'),
    alg: protectedHeader.alg,
    kid: text(protectedHeader.kid, 'kid'),
    claims: payload,
  };
};

/** A relying party's back-channel logout endpoint on loopback, which verifies each token and keeps what it heard. */
export const startLogoutReceiver = async () => {
  const heard: HeardLogout[] = [];
  const refused: string[] = [];
  let expected: Parameters<typeof read>[1] | null = null;
  let answer = (
    _: HeardLogout,
  ): { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly delayMs?: number } => ({
    status: 200,
  });
  let open = 0;
  let most = 0;

  const handle = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    open += 1;
    most = Math.max(most, open);
    try {
      if (expected === null) throw new Error('the app does not know its own client_id yet');
      const logout = await read(request, expected);
      heard.push(logout);
      const { status, headers = {}, delayMs = 0 } = answer(logout);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      reply.writeHead(status, { 'cache-control': 'no-store', ...headers }).end();
    } catch (error) {
      refused.push(String(error));
      reply.writeHead(400).end();
    } finally {
      open -= 1;
    }
  };
  const listen = (port: number): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer((request, reply) => void handle(request, reply));
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}/logout`,
    heard: heard as readonly HeardLogout[],
    /** Why requests were refused; empty when every one was as it should be. */
    refused: refused as readonly string[],
    mostAtOnce: (): number => most,
    expect: (whom: Parameters<typeof read>[1]): void => {
      expected = whom;
    },
    answerWith: (next: typeof answer): void => {
      answer = next;
    },
    goDown: close,
    comeUp: async (): Promise<void> => {
      server = await listen(port);
    },
    close,
  };
};

export type LogoutReceiver = Awaited<ReturnType<typeof startLogoutReceiver>>;
