import { createServer } from 'node:net';
import { systemErrorCode } from '../problem.ts';

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

// Systems take the ports of their own connections from 32,768 on: none of those comes in the way of a server here.
const lowest = 20_000;
const above = 32_000;

/**
 * A port of 127.0.0.1 that nobody listens on now, and the `row - 1` after it. Somebody may take it before we do: the
 * caller tries again.
 *
 * @throws Error when a hundred guesses found none.
 */
export const findFreePort = async (row = 1): Promise<number> => {
  for (let guesses = 0; guesses < 100; guesses += 1) {
    const port = lowest + Math.floor(Math.random() * (above - lowest - row));
    const found = await Promise.all(Array.from({ length: row }, (_, next) => checkPort(port + next, '127.0.0.1')));
    if (found.every((state) => state === 'free')) return port;
  }
  throw new Error('no free port found on 127.0.0.1');
};
