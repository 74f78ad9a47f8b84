import { isIP, isIPv4 } from 'node:net';

/** What the URL parser makes of an IPv4 address within an IPv6 one: two groups in hexadecimal. */
const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * The one spelling of an IP address: IPv6 as RFC 5952 has it and without a zone, an IPv4 address written as IPv6 as that IPv4
 * address. Null for what is no IP address.
 */
export const canonicalAddress = (address: string): string | null => {
  if (isIPv4(address)) return address;
  if (isIP(address) !== 6) return null;
  const canonical = new URL(`http://[${address.split('%', 1)[0] ?? ''}]`).hostname.slice(1, -1);
  const [, ...groups] = mapped.exec(canonical) ?? [];
  if (groups.length === 0) return canonical;
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
};
