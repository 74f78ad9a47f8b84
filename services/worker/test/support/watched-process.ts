import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a watched process says of itself, twice a second. */
export type Watched = {
  readonly kind: 'watched';
  /** Addresses that it has tried to connect to. */
  readonly addresses: readonly string[];
  readonly rssBytes: number;
  /** The longest time for which its event loop stood still so far. */
  readonly longestLagMs: number;
};

/** A name under which nothing but addresses of clouds and private networks is found, another one each time. */
export const rebindingHost = 'rebind.localhost';
const inside = ['169.254.169.254', '10.0.0.1', '::ffff:169.254.169.254', '192.168.0.1'];

/** Imported before the program itself: tells the parent process which addresses it connects to, and lets one name rebind. */
const watch = (): void => {
  let asked = 0;
  const { lookup } = dns;
  const rebinding = async (hostname: string, options: object): Promise<unknown> => {
    if (hostname !== rebindingHost) return await lookup(hostname, options);
    const address = inside[asked++ % inside.length] ?? '';
    return [{ address, family: address.includes(':') ? 6 : 4 }];
  };
  Object.assign(dns, { lookup: rebinding });
  syncBuiltinESMExports();

  const addresses = new Set<string>();
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]): Socket {
    this.on('connectionAttempt', (address: string) => addresses.add(address));
    return Reflect.apply(connect, this, given);
  };

  const loop = monitorEventLoopDelay({ resolution: 10 });
  loop.enable();
  const tell = (): void => {
    const longestLagMs = Math.round(loop.max / 1e6);
    process.send?.({ kind: 'watched', addresses: [...addresses], rssBytes: process.memoryUsage.rss(), longestLagMs } satisfies Watched);
  };
  setInterval(tell, 500).unref();
};

// In the process that it is preloaded into, and not where a test reads its types.
if (process.execArgv.includes(import.meta.url)) watch();
