import { expect, test } from 'vitest';
import { createSecurityEventReceiver, type SecurityEventReceiverOptions } from '../../src/index.ts';
import { audience } from './tokens.ts';

test.each<[Partial<SecurityEventReceiverOptions>, RegExp]>([
  [{ issuer: 'http://as.example' }, /^issuer must be/],
  [{ audience: '' }, /^audience must be/],
  [{ authorization: '' }, /^authorization must be/],
  [{ authorization: ['Bearer a', 'Bearer ä'] }, /^authorization must be/],
  [{ maxBodyBytes: 0 }, /^maxBodyBytes must be/],
  [{ handlingSeconds: 1.5 }, /^handlingSeconds must be/],
  [{ timeoutMs: Number.NaN }, /^timeoutMs must be/],
])('an option that cannot be right is named: %o', (change, words) => {
  expect(() => createSecurityEventReceiver({ issuer: 'https://as.example', audience, ...change })).toThrow(words);
});
