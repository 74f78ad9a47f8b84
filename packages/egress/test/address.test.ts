import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyAddress } from '../src/index.ts';

/** First and last of each special range, and the public addresses just outside where there are any. */
const special = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '100.100.100.200',
  '168.63.129.16',
  '169.254.0.0',
  '169.254.169.254',
  '169.254.255.255',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.0',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.0',
  '192.168.255.255',
  '198.18.0.0',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::ffff:0:7f00:1',
  '::127.0.0.1',
  '::808:808',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '100:0:0:1::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2001:db8:ffff::1',
  '2002:7f00:1::1',
  '2002:808:808::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fdff::1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fec0::1',
  'ff02::1',
  '4000::1',
  '1fff::1',
];
const ordinary = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:4860:4860::8888',
  '2003::1',
  '2606:4700::1111',
  '2a00:1450::1',
];
const loopback = ['127.0.0.1', '127.0.0.0', '127.255.255.255', '::1'];

describe('classifying an address', () => {
  test.each(special)('%s is special (CV-60)', (address) => expect(classifyAddress(address)).toBe('special'));
  test.each(ordinary)('%s is public', (address) => expect(classifyAddress(address)).toBe('public'));
  test.each(loopback)('%s is loopback', (address) => expect(classifyAddress(address)).toBe('loopback'));
  test.each(['', 'localhost', '1.2.3', '::g', '1.2.3.4.5', '010.0.0.1', '0x7f.0.0.1', '2130706433'])(
    '%j is not an address and therefore special',
    (text) => {
      expect(classifyAddress(text)).toBe('special');
    },
  );

  test('embeds no IPv4 address that becomes reachable through IPv6', () => {
    const v4 = fc.ipV4();
    const embed = fc.constantFrom('::ffff:', '::', '64:ff9b::', '::ffff:0:');
    fc.assert(
      fc.property(embed, v4, (prefix, address) => {
        expect(classifyAddress(`${prefix}${address}`)).not.toBe('public');
      }),
    );
  });
});
