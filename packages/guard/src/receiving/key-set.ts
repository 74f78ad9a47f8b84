import type { PublicJwk } from '@grantlog/crypto';
import { ask } from '../ask.ts';
import { isText } from '../members.ts';
import type { Settings } from '../options.ts';
import type { OnProblem } from '../problem.ts';

type FoundKey<Key> =
  | { readonly kind: 'key'; readonly key: Key }
  /** The set has no such key, by a list that is seconds old. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };

export type FindKey<Key> = (kid: string) => Promise<FoundKey<Key>>;

/** Where a set lies, and which of its keys are taken. */
type Source<Key> = {
  /** Null, and reported, where nobody can tell. */
  readonly locate: () => Promise<string | null>;
  /** Null for a key that is of no use here. */
  readonly readKey: (jwk: PublicJwk) => Key | null;
};

type Asking = Pick<Settings, 'fetch' | 'timeoutMs' | 'now'>;

/** As long as the issuer's own cache headers say, and as long as a guard keeps metadata: then a withdrawn key is known no more. */
const keptMs = 5 * 60_000;
/** Anybody can name a key that does not exist, so this is how often anybody can make us ask. */
const pauseMs = 10_000;

/** RFC 7517 §8.5 names the first, and many serve the second. */
const mediaTypes = ['application/jwk-set+json', 'application/json'];

/** Members of a public key are texts. One without a `kty` is a key of no kind. */
const jwkOf = (value: unknown): PublicJwk => ({
  kty: '',
  ...Object.fromEntries(Object.entries(value ?? {}).filter(([, member]) => isText(member))),
});

/** Keys by their `kid`. One that two keys have names neither. */
const keysOf = <Key>(listed: readonly unknown[], readKey: Source<Key>['readKey']): ReadonlyMap<string, Key> => {
  const keys = new Map<string, Key>();
  const taken = new Set<string>();
  for (const each of listed) {
    const { kid = '', ...jwk } = jwkOf(each);
    const key = taken.has(kid) ? null : readKey(jwk);
    keys.delete(kid);
    if (key !== null) keys.set(kid, key);
    taken.add(kid);
  }
  return keys;
};

/** What is listed at an address; null, and reported, where that is no list. */
const readList = async (settings: Asking, url: string, report: OnProblem): Promise<readonly unknown[] | null> => {
  const answer = await ask(settings, url, { mediaTypes });
  switch (answer.kind) {
    case 'json': {
      const listed = answer.body['keys'];
      if (Array.isArray(listed)) return listed;
      report({ kind: 'unusable_answer', message: `${url} answered without a list of keys` });
      return null;
    }
    case 'status':
      report({ kind: answer.status >= 500 ? 'unreachable' : 'unusable_answer', message: `${url} answered ${answer.status}` });
      return null;
    case 'unusable':
      report({ kind: 'unusable_answer', message: `${url} ${answer.why}` });
      return null;
    case 'failed':
      report({ kind: 'unreachable', message: `${url} ${answer.why}` });
      return null;
    case 'abandoned':
      return null;
  }
};

/**
 * Knows the keys of a set that was configured, never of an address in a request. They are read when first needed, after five minutes,
 * and for a key that is not among them; however much comes in, by one reading at a time, which begins ten seconds after the one before
 * at the earliest. Keys that were read are not used longer because they cannot be read again.
 *
 * @see RFC 7517 §5
 */
export const createKeySet = <Key>(settings: Asking, report: OnProblem, { locate, readKey }: Source<Key>): FindKey<Key> => {
  let known: { readonly keys: ReadonlyMap<string, Key>; readonly readAt: number } | null = null;
  let beganAt: number | null = null;
  let reading: Promise<void> | null = null;

  const isWithin = (at: number | null, ms: number): boolean => {
    if (at === null) return false;
    const age = settings.now() - at;
    return age >= 0 && age < ms;
  };
  const keptKey = (kid: string): Key | undefined => (known !== null && isWithin(known.readAt, keptMs) ? known.keys.get(kid) : undefined);

  const read = async (): Promise<void> => {
    try {
      beganAt = settings.now();
      const url = await locate();
      const listed = url === null ? null : await readList(settings, url, report);
      // A reading that failed takes nothing away: strangers can have one begun.
      if (listed !== null) known = { keys: keysOf(listed, readKey), readAt: settings.now() };
    } finally {
      reading = null;
    }
  };

  return async (kid) => {
    const kept = keptKey(kid);
    if (kept !== undefined) return { kind: 'key', key: kept };
    if (reading === null && !isWithin(beganAt, pauseMs)) reading = read();
    await reading;
    const key = keptKey(kid);
    if (key !== undefined) return { kind: 'key', key };
    return known !== null && isWithin(known.readAt, pauseMs) ? { kind: 'unknown' } : { kind: 'unavailable' };
  };
};
