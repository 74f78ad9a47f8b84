import { isIP } from 'node:net';
import { classifyAddress } from './address.ts';
import type { EgressRefusal } from './outcome.ts';

export type CheckedUrl =
  | {
      readonly kind: 'ok';
      readonly url: URL;
      /** Whether the operator has named its host and port: it may then be any address. */
      readonly excepted: boolean;
    }
  | { readonly kind: 'refused'; readonly why: EgressRefusal };

/** Hosts with their ports (`cimd.internal:8443`, `[::1]:8443`) that the operator opens, wherever they are. */
export type Exceptions = ReadonlySet<string>;

const none: Exceptions = new Set();

const publicPorts: ReadonlySet<string> = new Set(['', '443', '8443']);

const refuse = (why: EgressRefusal): CheckedUrl => ({ kind: 'refused', why });

/** The host as it will be connected to: after WHATWG normalisation (0x7f.1, 2130706433), without brackets and trailing dots. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '');

const isLoopbackName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');

/** A destination as exceptions name it: always with its port. */
const nameOf = (url: URL, host: string): string => `${isIP(host) === 6 ? `[${host}]` : host}:${url.port === '' ? '443' : url.port}`;

/**
 * Judges a URL before anything is looked up: scheme, credentials, port, and addresses written as literals.
 * What a name resolves to is judged when the connection is made.
 *
 * An exception opens its own host and port, by https alone, and nothing else.
 *
 * @see RFC 6890; RFC 6761 §6.3
 */
export const checkUrl = (text: string, allowLoopback: boolean, exceptions: Exceptions = none): CheckedUrl => {
  if (!URL.canParse(text)) return refuse('malformed_url');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('scheme_not_allowed');
  if (url.username !== '' || url.password !== '') return refuse('credentials_in_url');
  const host = hostOf(url);
  if (host === '') return refuse('malformed_url');

  const excepted = url.protocol === 'https:' && exceptions.has(nameOf(url, host));
  const address = isIP(host) === 0 ? null : classifyAddress(host);
  const loopback = address === 'loopback' || isLoopbackName(host);
  if (!excepted && (address === 'special' || (loopback && !allowLoopback))) return refuse('address_not_allowed');
  if (url.protocol === 'http:' && !loopback) return refuse('scheme_not_allowed');
  if (!excepted && !loopback && !publicPorts.has(url.port)) return refuse('port_not_allowed');
  // One spelling for one destination: `localhost.` would else be a host of its own, with its own connections.
  if (isIP(host) === 0) url.hostname = host;
  url.hash = '';
  return { kind: 'ok', url, excepted };
};
