import { expect, test } from 'vitest';
import { canonicalAddress } from '../src/index.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['0:0:0:0:0:ffff:cb00:7107', '203.0.113.7'],
  ['::ffff:0.0.0.0', '0.0.0.0'],
  ['2001:0DB8:0:0:0:0:0:0007', '2001:db8::7'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::', '::'],
  ['::203.0.113.7', '::cb00:7107'],
])('%s is written as %s', (address, canonical) => {
  expect(canonicalAddress(address)).toBe(canonical);
});

test.each(['', 'unknown', '203.0.113', '203.0.113.7:443', '[::1]', '::g', '203.0.113.007'])('"%s" is no address', (text) => {
  expect(canonicalAddress(text)).toBeNull();
});
