import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a server of ours does with a connection. */
export type Behaviour = (socket: Socket, nth: number) => void;

export type RawServer = {
  readonly port: number;
  /** `http://127.0.0.1:port`, without a trailing slash. */
  readonly url: string;
  /** Connections made so far. */
  readonly accepted: () => number;
  /** Connections that nobody has ended yet. */
  readonly open: () => number;
  /** Bytes that the other side, or the buffers on the way to it, took. */
  readonly sent: () => number;
  /** Everything that was received, over all connections. */
  readonly received: () => string;
  readonly close: () => Promise<void>;
};

const over = (server: Server, behave: Behaviour, event: 'connection' | 'secureConnection'): Promise<RawServer> => {
  const open = new Set<Socket>();
  const all: Socket[] = [];
  let received = '';
  server.on('connection', (socket) => {
    open.add(socket);
    all.push(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  let nth = 0;
  server.on(event, (socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    nth += 1;
    behave(socket, nth);
  });
  const listening = Promise.withResolvers<RawServer>();
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    listening.resolve({
      port,
      url: `http://127.0.0.1:${port}`,
      accepted: () => all.length,
      open: () => open.size,
      sent: () => all.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0),
      received: () => received,
      close: async () => {
        for (const socket of open) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    });
  });
  return listening.promise;
};

/** A server that speaks whatever it likes. */
export const openRawServer = (behave: Behaviour): Promise<RawServer> => over(createServer(), behave, 'connection');

/** The same behind a server of TLS, or of what claims to be. */
export const openOver = (server: Server, behave: Behaviour): Promise<RawServer> => over(server, behave, 'secureConnection');
