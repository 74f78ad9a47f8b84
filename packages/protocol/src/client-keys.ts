import { refuseMetadata } from './client-metadata-values.ts';

/** Public keys of a client by value (RFC 7517 §5), of each key the members that say what it is. */
export type ClientKeys = { readonly keys: readonly Readonly<Record<string, string>>[] };

const maxKeys = 20;
const publicMembers: readonly string[] = ['kty', 'use', 'alg', 'kid', 'crv', 'x', 'y', 'n', 'e'];
/** What only the owner of a key may know (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const privateMembers: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const readKey = (json: unknown): Readonly<Record<string, string>> => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refuseMetadata('jwks.keys must hold objects');
  const member = privateMembers.find((name) => Object.hasOwn(json, name));
  if (member !== undefined)
    throw refuseMetadata(`jwks holds a private or secret key (member ${member}): send public keys alone, and replace that key now`);
  const members = Object.entries(json).filter(([name]) => publicMembers.includes(name));
  const key: Record<string, string> = {};
  for (const [name, value] of members) {
    if (typeof value !== 'string' || value.length > 2_048 || !/^[\x20-\x7e]*$/.test(value))
      throw refuseMetadata(`jwks holds a key whose ${name} is no text of plain ASCII`);
    key[name] = value;
  }
  if (key['kty'] === undefined) throw refuseMetadata('jwks holds a key without kty');
  return key;
};

/**
 * Reads a `jwks` member: null where it is absent.
 *
 * @throws OAuthError `invalid_client_metadata`; it names the member at fault and repeats no value, since that could be a secret.
 * @see RFC 7591 §2; RFC 7517 §5
 */
export const readClientKeys = (json: unknown): ClientKeys | null => {
  if (json === undefined || json === null) return null;
  const keys: unknown = typeof json === 'object' && 'keys' in json ? json.keys : undefined;
  if (!Array.isArray(keys)) throw refuseMetadata('jwks must be an object with a list of keys');
  if (keys.length === 0) throw refuseMetadata('jwks has no keys');
  if (keys.length > maxKeys) throw refuseMetadata(`jwks has more than ${maxKeys} keys`);
  return { keys: keys.map(readKey) };
};
