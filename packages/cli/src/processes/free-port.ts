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

/** `'refused'` is what the system answers to ports below 1024; `'not our address'`: the host's name or address is not this machine. */
export type PortState = 'free' | 'in use' | 'refused' | 'not our address';

/** Tries to listen where a server is about to. */
export const checkPort = (port: number, host: string): Promise<PortState> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(states[systemErrorCode(error) ?? ''] ?? 'refused'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('free')));
  });

const states: Readonly<Record<string, PortState>> = {
  EADDRINUSE: 'in use',
  EADDRNOTAVAIL: 'not our address',
  EAFNOSUPPORT: 'not our address',
  EINVAL: 'not our address',
  ENOTFOUND: 'not our address',
  EAI_AGAIN: 'not our address',
};
