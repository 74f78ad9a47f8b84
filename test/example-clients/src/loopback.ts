import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure, systemErrorCode } from './failure.ts';

/** How long a person may take to sign in and decide. */
const patienceMs = 10 * 60_000;

const answer = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(`${text}\n`);
};

/** Waits for the redirect of one authorization request. */
export type Listener = {
  /** The registered redirect URI with the port that is really listened on (RFC 8252 §7.3). */
  readonly redirectUri: string;
  /** The redirect that carries `state`. Any other caller is told off, and the wait goes on. @throws Failure after ten minutes */
  readonly callback: (state: string) => Promise<URL>;
  readonly close: () => void;
};

/** Listens on the redirect URI, on loopback alone, for as long as one sign-in takes. @throws Failure where the port is taken */
export const listen = async (redirectUri: URL): Promise<Listener> => {
  const arrived = Promise.withResolvers<URL>();
  let expected: string | null = null;
  const own = new URL(redirectUri);
  const server = createServer((request, response) => {
    const url = URL.canParse(request.url ?? '', own.origin) ? new URL(request.url ?? '', own.origin) : null;
    if (url?.pathname !== own.pathname) return answer(response, 404, 'Nothing is here.');
    // Whoever does not know the state was not sent here by the request that is waiting: no answer of theirs is taken.
    if (request.method !== 'GET' || expected === null || url.searchParams.get('state') !== expected)
      return answer(response, 400, 'This is not the answer that was waited for.');
    answer(
      response,
      200,
      url.searchParams.has('code') ? 'Done. You can close this page.' : 'Access was not given. You can close this page.',
    );
    arrived.resolve(url);
  });
  const host = own.hostname.replace(/^\[|\]$/g, '');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(own.port === '' ? 80 : Number(own.port), host, resolve);
  }).catch((error: unknown) => {
    if (systemErrorCode(error) === 'EADDRINUSE')
      throw new Failure(`Port ${own.port} of ${host} is taken, perhaps by another sign-in`, 'end that one, or use --port 0');
    if (systemErrorCode(error) === 'EACCES') throw new Failure(`Port ${own.port || 80} of ${host} may not be used`, 'use --port 0');
    throw error;
  });
  own.port = String((server.address() as AddressInfo).port); // listening on TCP, it has one
  const timer = setTimeout(() => arrived.reject(new Failure('Nobody decided within ten minutes', 'run example login', 3)), patienceMs);

  return {
    redirectUri: own.href,
    callback: (state) => {
      expected = state;
      return arrived.promise;
    },
    close: () => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
};
