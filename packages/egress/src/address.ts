import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether a stranger may make us talk to an address: `loopback` in development only, `special` never. */
export type AddressClass = 'public' | 'loopback' | 'special';

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Addresses in public ranges behind which a cloud keeps its own services. */
const cloudServices: ReadonlySet<string> = new Set(['168.63.129.16']);

/**
 * Classifies the text of an IP address. Everything that is not plainly public is refused, so what a new registry
 * entry sets aside is refused as long as the library does not call it unicast.
 *
 * Addresses that embed another (v4-mapped, v4-compatible, NAT64, 6to4, Teredo) are special whatever they embed.
 *
 * @see RFC 6890; IANA special-purpose address registries
 */
export const classifyAddress = (text: string): AddressClass => {
  // The library also reads spellings such as 1.2.3 and 010.0.0.1, which nobody need write.
  if (isIP(text) === 0) return 'special';
  const address = ipaddr.parse(text);
  const range = address.range();
  if (range === 'loopback') return 'loopback';
  if (range !== 'unicast' || cloudServices.has(address.toString())) return 'special';
  if (address instanceof ipaddr.IPv6 && !address.match(globalUnicast)) return 'special';
  return 'public';
};
