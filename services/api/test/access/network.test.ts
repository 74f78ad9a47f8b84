import { expect, test } from 'vitest';
import { networkOf } from '../../src/access/network.ts';

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['::FFFF:cb00:7109', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each(['', 'localhost', '1.2.3', '1.2.3.4.5', '203.0.113.9/32', '2001:db8::/64', ':::', '1.2.3.4, 5.6.7.8', '[::1]'])(
  '%s is no address',
  (text) => {
    expect(networkOf(text)).toBeNull();
  },
);
