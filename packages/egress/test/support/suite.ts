import { afterEach, expect, onTestFinished } from 'vitest';
import { createEgress, type Egress, type EgressOptions, type EgressOutcome } from '../../src/index.ts';
import { type Behaviour, openRawServer, type RawServer } from './raw-server.ts';

/** What the process would have died of. */
const deaths: unknown[] = [];
process.on('uncaughtException', (error) => deaths.push(error));
process.on('unhandledRejection', (error) => deaths.push(error));
afterEach(() => {
  expect(deaths.splice(0)).toEqual([]);
});

/** A client for loopback with a short time, closed when the test ends. */
export const egress = (options: Partial<EgressOptions> = {}): Egress => {
  const client = createEgress({ allowLoopback: true, totalTimeoutMs: 400, ...options });
  onTestFinished(client.close);
  return client;
};

/** A server, closed when the test ends. */
export const serve = async (behave: Behaviour): Promise<RawServer> => {
  const server = await openRawServer(behave);
  onTestFinished(server.close);
  return server;
};

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A receiver as they should all be: it answers each request of a connection. */
export const wellBehaved: Behaviour = (socket) => {
  let unread = '';
  socket.on('data', (bytes) => {
    unread += bytes.toString('latin1');
    for (let end = unread.indexOf('\r\n\r\n'); end !== -1; end = unread.indexOf('\r\n\r\n')) {
      unread = unread.slice(end + 4);
      socket.write(answer);
    }
  });
};

/** `status`, why it was refused, or the reason of the failure. */
export const told = (outcome: EgressOutcome): number | string => {
  if (outcome.kind === 'response') return outcome.status;
  return outcome.kind === 'refused' ? outcome.why : outcome.reason;
};

/** Whoever was cut off sees it. */
export const seesClose = async (server: RawServer): Promise<void> => {
  await expect.poll(server.open, { timeout: 5_000 }).toBe(0);
};
