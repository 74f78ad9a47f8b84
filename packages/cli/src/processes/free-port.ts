import { createServer } from 'node:net';
import { systemErrorCode } from '../problem.ts';

/** A port of 127.0.0.1 that nobody listens on now. Somebody may take it before we do: the caller tries again. */
export const findFreePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });

/** Tries to listen where a server is about to: `'refused'` covers ports below 1024 and addresses that are not ours. */
export const checkPort = (port: number, host: string): Promise<'free' | 'in use' | 'refused'> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(systemErrorCode(error) === 'EADDRINUSE' ? 'in use' : 'refused'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')));
  });
