import { expect, test } from 'vitest';
import { readBasicCredentials } from '../../src/access/basic-credentials.ts';

const header = (pair: string): string => `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;

test('name and password are read in UTF-8, a colon in the password included', () => {
  expect(readBasicCredentials(header('ann@example.com:pässwörd:2'))).toEqual({ username: 'ann@example.com', password: 'pässwörd:2' });
  expect(readBasicCredentials(header('ann@example.com:').replace('Basic', 'basic'))).toEqual({ username: 'ann@example.com', password: '' });
});

test('another scheme or none is nothing', () => {
  expect(readBasicCredentials(undefined)).toBeNull();
  expect(readBasicCredentials('Bearer abc')).toBeNull();
});

test.each([
  'Basic',
  'Basic ',
  'Basic !!!!',
  header('no colon'),
  header(':no name'),
  header('nul\0:x'),
  `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0x61]).toString('base64')}`,
  `Basic ${'QUJD'.repeat(3_000)}`,
])('what cannot be read is malformed (%#)', (authorization) => {
  expect(readBasicCredentials(authorization)).toBe('malformed');
});
