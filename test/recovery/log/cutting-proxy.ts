import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type CuttingProxy = {
  /** The database's URL by way of the proxy. */
  readonly url: string;
  /** How many connections it has cut so far. */
  readonly cuts: () => number;
  readonly close: () => Promise<void>;
};

/** The message that ends a greeting and every reply, but for its last byte (PostgreSQL protocol 3, `ReadyForQuery`). */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);

/**
 * A TCP proxy before the database that cuts connections where it hurts: when the server's reply has arrived, which is
 * after the commit, and when the request has gone through but its reply is not there yet. Connections are cut between
 * statements too, as they come.
 */
export const startCuttingProxy = async (
  target: string,
  chances: { readonly reply: number; readonly request: number },
): Promise<CuttingProxy> => {
  const to = new URL(target);
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(to.port || 5432), to.hostname);
    // A connection that never comes to be proves nothing.
    let greeted = false;
    const cut = (): void => {
      cuts += 1;
      client.resetAndDestroy();
      upstream.end();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.end();
      });
    }
    client.on('data', (request) => {
      upstream.write(request);
      if (greeted && Math.random() < chances.request) cut();
    });
    upstream.on('data', (reply: Buffer) => {
      if (greeted && Math.random() < chances.reply) {
        cut();
        return;
      }
      greeted ||= reply.subarray(-6, -1).equals(readyForQuery);
      client.write(reply);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: url.href,
    cuts: () => cuts,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
