import { describe, expect, test } from 'vitest';
import { addressDigest, nameId } from '../src/index.ts';

const nameKey = new Uint8Array(32).fill(7);

describe('the digest of an address', () => {
  test('is the same for ever, as what was written by it is looked for by it', () => {
    expect(addressDigest({ nameKey, address: '203.0.113.7' }).toHex()).toBe('108b550715abe1dcaaae3a4243d67674');
  });

  test('differs by key and by address, and is no name of the same key', () => {
    const digest = addressDigest({ nameKey, address: '203.0.113.7' });
    expect(digest).toHaveLength(16);
    expect(addressDigest({ nameKey, address: '203.0.113.8' })).not.toEqual(digest);
    expect(addressDigest({ nameKey: new Uint8Array(32).fill(8), address: '203.0.113.7' })).not.toEqual(digest);
    const name = nameId({ nameKey, kindCode: 5, name: '203.0.113.7' }).replaceAll('-', '');
    expect(name.slice(20)).not.toBe(digest.toHex().slice(20));
  });

  test('refuses a key that is too short to be one', () => {
    expect(() => addressDigest({ nameKey: new Uint8Array(31), address: '203.0.113.7' })).toThrow(RangeError);
  });
});
