import { isIP, isIPv4 } from 'node:net';

/** The eight groups of an IPv6 address without a zone. */
const groupsOf = (address: string): readonly string[] => {
  // The URL parser writes every spelling one way: lower case, an embedded IPv4 address in hexadecimal, one `::` at most.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const [front, back] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? 0 : 8 - (front?.length ?? 0) - (back?.length ?? 0);
  return [...(front ?? []), ...Array.from({ length: zeros }, () => '0'), ...(back ?? [])];
};

/**
 * Who counts as one behind an address: an IPv4 address, or the /64 of an IPv6 address, all of which one customer has.
 * An IPv4 address written as IPv6 is that IPv4 address.
 *
 * @returns null for what is no IP address.
 */
export const networkOf = (address: string): string | null => {
  if (isIPv4(address)) return address;
  if (isIP(address) !== 6) return null;
  const groups = groupsOf(address.split('%', 1)[0] ?? '');
  const isMapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
  if (!isMapped) return `${groups.slice(0, 4).join(':')}::/64`;
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
};
