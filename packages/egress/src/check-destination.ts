import { isIP } from 'node:net';
import { checkUrl, type Exceptions } from './check-url.ts';
import { endTurn, takeTurn } from './look-up-turns.ts';
import type { EgressRefusal } from './outcome.ts';
import { permitted, type ResolvedAddress, type Resolver, systemResolver } from './resolver.ts';

/** `unreachable`: the name has no address, one that strangers may not reach through us, or no answer in time. */
export type CheckedDestination = { readonly kind: 'ok' } | { readonly kind: 'refused'; readonly why: EgressRefusal | 'unreachable' };

/** Longer than a resolver needs, shorter than whoever configures a URL waits. */
const patienceMs = 3_000;

const soon = async <Value>(work: Promise<Value>, otherwise: Value): Promise<Value> => {
  const patience = Promise.withResolvers<Value>();
  const timer = setTimeout(() => patience.resolve(otherwise), patienceMs);
  try {
    return await Promise.race([work, patience.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Judges a URL at the moment at which it is configured, every address of its name included. It promises nothing: each
 * connection is judged again when it is made. This spares people a webhook that can never arrive, and is left out where
 * names that are slow to answer leave it no turn.
 *
 * A name that resolves to something internal reads like a name that nobody has: else we map networks for strangers.
 *
 * @param options.allowLoopback in development only.
 * @param options.exceptions destinations that may be anywhere, as the client for them has them.
 * @param options.resolve replaces the system's resolver.
 */
export const checkDestination = async (
  text: string,
  options: { readonly allowLoopback: boolean; readonly exceptions?: Exceptions; readonly resolve?: Resolver },
): Promise<CheckedDestination> => {
  const { allowLoopback, exceptions, resolve = systemResolver } = options;
  const checked = checkUrl(text, allowLoopback, exceptions);
  if (checked.kind === 'refused') return checked;
  if (checked.excepted) return { kind: 'ok' };
  const host = checked.url.hostname.replace(/^\[|\]$/g, '');
  // An address that is written down has been judged already.
  if (isIP(host) !== 0) return { kind: 'ok' };
  const permits = permitted(allowLoopback);
  const turn = { begun: false, over: false };
  const lookUp = async (): Promise<readonly ResolvedAddress[]> => {
    await takeTurn();
    try {
      // Nobody waits for it any more.
      if (turn.over) return [];
      turn.begun = true;
      return await resolve(host);
    } catch {
      return [];
    } finally {
      endTurn();
    }
  };
  const found = await soon(lookUp(), []);
  turn.over = true;
  if (!turn.begun) return { kind: 'ok' };
  const isFit = found.length > 0 && found.every(({ address }) => permits(address));
  return isFit ? { kind: 'ok' } : { kind: 'refused', why: 'unreachable' };
};
