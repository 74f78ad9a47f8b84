import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { classifyAddress } from './address.ts';
import { RefusedDestination } from './outcome.ts';

export type ResolvedAddress = { readonly address: string; readonly family: 4 | 6 };

/** Resolves a host name to all its addresses. Rejects where it has none. */
export type Resolver = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export const systemResolver: Resolver = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

/** Whether a connection may go to this address. */
export type Permits = (address: string) => boolean;

export const permitted =
  (allowLoopback: boolean): Permits =>
  (address) => {
    const found = classifyAddress(address);
    return found === 'public' || (found === 'loopback' && allowLoopback);
  };

/**
 * A `lookup` that hands only permitted addresses to the socket. The socket connects to one of exactly these, so a
 * name that answers differently a moment later changes nothing (DNS rebinding).
 */
export const guardedLookup = (resolve: Resolver, permits: Permits): LookupFunction => {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (found) => {
        const wanted = options.family === 4 || options.family === 6 ? found.filter(({ family }) => family === options.family) : found;
        const usable = wanted.filter(({ address }) => permits(address));
        const [first] = usable;
        if (first === undefined) callback(new RefusedDestination(), '', 0);
        else if (options.all === true) callback(null, [...usable]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
};
