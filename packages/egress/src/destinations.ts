import { checkUrl, type Exceptions } from './check-url.ts';
import type { EgressRefusal } from './outcome.ts';

/** By which guard a server is reached. */
export type Lane = 'public' | 'development' | 'excepted';

export type Destination =
  | { readonly kind: 'ok'; readonly lane: Lane; readonly origin: string; readonly path: string; readonly key: string }
  | { readonly kind: 'refused'; readonly why: EgressRefusal };

/** URLs kept; with the longest that is kept, a few megabytes. */
const maxKept = 4_096;
const maxKeptLength = 512;

/** Judges the URLs of requests by `checkUrl`, which asks nothing but its arguments: what it said of a URL stays true. */
export const createDestinations = (exceptions: Exceptions): ((url: string, allowLoopback: boolean) => Destination) => {
  const judge = (text: string, allowLoopback: boolean): Destination => {
    const checked = checkUrl(text, allowLoopback, exceptions);
    if (checked.kind === 'refused') return checked;
    const { origin, pathname, search } = checked.url;
    const lane = checked.excepted ? 'excepted' : allowLoopback ? 'development' : 'public';
    return { kind: 'ok', lane, origin, path: `${pathname}${search}`, key: `${lane} ${origin}` };
  };
  const kept = { strict: new Map<string, Destination>(), development: new Map<string, Destination>() };
  return (text, allowLoopback) => {
    const known = allowLoopback ? kept.development : kept.strict;
    const found = known.get(text);
    if (found !== undefined) return found;
    const judged = judge(text, allowLoopback);
    if (text.length > maxKeptLength) return judged;
    const [oldest] = known.size < maxKept ? [] : known.keys();
    if (oldest !== undefined) known.delete(oldest);
    known.set(text, judged);
    return judged;
  };
};
