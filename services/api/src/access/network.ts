import { isIPv4 } from 'node:net';
import { canonicalAddress } from '@grantlog/provisioning';

/** The first four of the eight groups of an IPv6 address in its canonical spelling. */
const frontOf = (address: string): readonly string[] => {
  const [head = '', tail] = address.split('::');
  const [front, back] = [head, tail ?? ''].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? 0 : 8 - (front?.length ?? 0) - (back?.length ?? 0);
  return [...(front ?? []), ...Array.from({ length: zeros }, () => '0'), ...(back ?? [])].slice(0, 4);
};

/**
 * Who counts as one behind an address: an IPv4 address, or the /64 of an IPv6 address, all of which one customer has.
 * An IPv4 address written as IPv6 is that IPv4 address.
 *
 * @returns null for what is no IP address.
 */
export const networkOf = (address: string): string | null => {
  const canonical = canonicalAddress(address);
  return canonical === null || isIPv4(canonical) ? canonical : `${frontOf(canonical).join(':')}::/64`;
};
