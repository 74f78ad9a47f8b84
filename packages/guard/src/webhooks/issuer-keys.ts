import { type PublicJwk, readWebhookKey, type WebhookSecret } from '@grantlog/crypto';
import { ask } from '../ask.ts';
import { readIssuerMetadata } from '../issuer-metadata.ts';
import { isText } from '../members.ts';
import type { Settings } from '../options.ts';
import type { OnProblem } from '../problem.ts';
import { isSecureUrl } from '../secure-url.ts';

export type IssuerKey =
  | { readonly kind: 'key'; readonly key: WebhookSecret }
  /** The issuer has no such key, by a list that is seconds old. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };

type Keys = ReadonlyMap<string, WebhookSecret>;
type Asking = Pick<Settings, 'issuer' | 'fetch' | 'timeoutMs' | 'now'>;

/** As long as the issuer's own cache headers say, and as long as a guard keeps metadata: then a withdrawn key is known no more. */
const keptMs = 5 * 60_000;
/** Anybody can name a key that does not exist, so this is how often anybody can make us ask. */
const pauseMs = 10_000;

/** Members of a public key are texts. One without a `kty` is a key of no kind. */
const jwkOf = (value: unknown): PublicJwk => ({
  kty: '',
  ...Object.fromEntries(Object.entries(value ?? {}).filter(([, member]) => isText(member))),
});

/** Ed25519 keys by their `kid`. One that two keys have names neither. */
const keysOf = (listed: readonly unknown[]): Keys => {
  const keys = new Map<string, WebhookSecret>();
  const taken = new Set<string>();
  for (const each of listed) {
    const { kid = '', ...jwk } = jwkOf(each);
    const key = taken.has(kid) ? null : readWebhookKey(jwk);
    keys.delete(kid);
    if (key !== null) keys.set(kid, key);
    taken.add(kid);
  }
  return keys;
};

const readKeys = async (settings: Asking, report: OnProblem): Promise<Keys | null> => {
  const read = await readIssuerMetadata(settings, report);
  if (read === null) return null;
  const url = read.metadata['jwks_uri'];
  if (!isSecureUrl(url)) {
    report({ kind: 'unusable_metadata', message: `The metadata at ${read.url} names no jwks_uri under https` });
    return null;
  }
  const answer = await ask(settings, url, {});
  switch (answer.kind) {
    case 'json': {
      const listed = answer.body['keys'];
      if (Array.isArray(listed)) return keysOf(listed);
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
 * Knows the keys of an issuer by the `jwks_uri` of its metadata, never by an address in a request. They are read when first needed,
 * after five minutes, and for a key that is not among them; however much comes in, by one reading at a time, which begins ten seconds
 * after the one before at the earliest. Keys that were read are not used longer because they cannot be read again.
 *
 * @see RFC 8414 §2; RFC 7517 §5
 */
export const createIssuerKeys = (settings: Asking, report: OnProblem): ((kid: string) => Promise<IssuerKey>) => {
  let known: { readonly keys: Keys; readonly readAt: number } | null = null;
  let beganAt: number | null = null;
  let reading: Promise<void> | null = null;

  const isWithin = (at: number | null, ms: number): boolean => {
    if (at === null) return false;
    const age = settings.now() - at;
    return age >= 0 && age < ms;
  };
  const keptKeys = (): Keys | null => (known !== null && isWithin(known.readAt, keptMs) ? known.keys : null);

  const read = async (): Promise<void> => {
    try {
      beganAt = settings.now();
      const keys = await readKeys(settings, report);
      // A reading that failed takes nothing away: strangers can have one begun.
      if (keys !== null) known = { keys, readAt: settings.now() };
    } finally {
      reading = null;
    }
  };

  return async (kid) => {
    const kept = keptKeys()?.get(kid);
    if (kept !== undefined) return { kind: 'key', key: kept };
    if (reading === null && !isWithin(beganAt, pauseMs)) reading = read();
    await reading;
    const key = keptKeys()?.get(kid);
    if (key !== undefined) return { kind: 'key', key };
    return known !== null && isWithin(known.readAt, pauseMs) ? { kind: 'unknown' } : { kind: 'unavailable' };
  };
};
