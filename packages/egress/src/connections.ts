import { type Connection, openConnection } from './connection.ts';
import type { Exchange, Holder } from './exchange.ts';
import type { Connect } from './guarded-connector.ts';

/** A server together with the guard by which it is reached: what was connected under one guard serves no other. */
type Way = { readonly key: string; readonly origin: string; readonly connect: Connect };

export type Connections = {
  readonly send: (exchange: Exchange, way: Way) => void;
  /** Ends every connection, and opens none from here on. */
  readonly close: () => Promise<void>;
};

type Server = {
  readonly way: Way;
  readonly open: Set<Connection>;
  /** The one used last is used next, so that those that are not needed close soon. */
  readonly idle: Connection[];
  /** Exchanges that wait for a connection, oldest first. */
  readonly line: Set<Exchange>;
  readonly holder: Holder;
};

/** Where a connection leads was judged when it was made. */
const lifeMs = 60_000;

/** While other servers wait for a socket. */
const lifeInCrowdMs = 2_000;

/**
 * All connections of one client to the outside.
 *
 * undici's pools know one origin each, and keep a request in their queue when nobody waits for it any more: it costs the
 * next one a connection. Here a request leaves the line when its time is over, sockets are counted across all servers,
 * idle ones make room, and servers that wait for one take turns.
 */
export const createConnections = (limits: { readonly perServer: number; readonly sockets: number }): Connections => {
  const servers = new Map<string, Server>();
  /** Used longest ago first. */
  const idle = new Map<Connection, Server>();
  /** Servers with a line that may have one more connection, for which there is no socket. */
  const crowd = new Set<Server>();
  let sockets = 0;
  let isClosed = false;

  const forgetIfUnused = (server: Server): void => {
    if (server.open.size === 0 && server.line.size === 0) servers.delete(server.way.key);
  };

  const leaveLine = (server: Server, exchange: Exchange): void => {
    server.line.delete(exchange);
    if (server.line.size === 0) crowd.delete(server);
  };

  const serverOf = (way: Way): Server => {
    const known = servers.get(way.key);
    if (known !== undefined) return known;
    const server: Server = {
      way,
      open: new Set(),
      idle: [],
      line: new Set(),
      holder: {
        // Slow answers of this very server may be the cause: they are told with the requests that they are to.
        late: () => 'crowded',
        received: () => 0,
        release: () => undefined,
        abandon: (exchange) => {
          leaveLine(server, exchange);
          forgetIfUnused(server);
        },
      },
    };
    servers.set(way.key, server);
    return server;
  };

  /** The first that has time left: those before it are about to be told that they have none. */
  const nextInLine = (server: Server): Exchange | undefined => {
    const now = performance.now();
    for (const exchange of server.line) if (!exchange.isLate(now)) return exchange;
    return undefined;
  };

  const carry = (server: Server, connection: Connection, exchange: Exchange): void => {
    leaveLine(server, exchange);
    connection.carry(exchange);
  };

  /** Gives the next in line a connection: one that is there already, or a new one if there may be one more. */
  const advance = (server: Server): void => {
    const next = nextInLine(server);
    if (next === undefined || isClosed) return;
    const unused = server.idle.pop();
    if (unused !== undefined) {
      idle.delete(unused);
      reuse(server, unused);
      return;
    }
    if (server.open.size >= limits.perServer) return;
    if (sockets >= limits.sockets) {
      const [oldest] = idle;
      if (oldest !== undefined) drop(oldest[1], oldest[0]);
    }
    if (sockets >= limits.sockets) {
      crowd.add(server);
      return;
    }
    const connection = openConnection({
      ...server.way,
      onFree: () => reuse(server, connection),
      onGone: () => drop(server, connection),
    });
    sockets += 1;
    server.open.add(connection);
    carry(server, connection, next);
  };

  const serveCrowd = (): void => {
    let turns = crowd.size;
    for (const server of crowd) {
      if (turns === 0 || sockets >= limits.sockets) return;
      turns -= 1;
      crowd.delete(server);
      advance(server);
      // Whoever wants more is behind the others now.
      if (server.line.size > 0 && server.open.size < limits.perServer) crowd.add(server);
    }
  };

  const drop = (server: Server, connection: Connection): void => {
    if (!server.open.delete(connection)) return;
    sockets -= 1;
    if (idle.delete(connection)) server.idle.splice(server.idle.indexOf(connection), 1);
    void connection.end();
    // It has had its turn.
    if (crowd.delete(server)) crowd.add(server);
    serveCrowd();
    advance(server);
    forgetIfUnused(server);
  };

  const reuse = (server: Server, connection: Connection): void => {
    if (!server.open.has(connection)) return;
    const next = nextInLine(server);
    const doOthersWait = crowd.size > (crowd.has(server) ? 1 : 0);
    const isWanted = next !== undefined || !doOthersWait;
    if (!isWanted || !connection.isYounger(doOthersWait ? lifeInCrowdMs : lifeMs)) drop(server, connection);
    else if (next !== undefined) carry(server, connection, next);
    else {
      server.idle.push(connection);
      idle.set(connection, server);
    }
  };

  return {
    send: (exchange, way) => {
      if (isClosed) {
        exchange.stop('other');
        return;
      }
      const server = serverOf(way);
      server.line.add(exchange);
      exchange.heldBy(server.holder);
      advance(server);
    },
    close: async () => {
      isClosed = true;
      crowd.clear();
      const open = [...servers.values()].flatMap((server) => [...server.open]);
      await Promise.all(open.map((connection) => connection.end()));
    },
  };
};
