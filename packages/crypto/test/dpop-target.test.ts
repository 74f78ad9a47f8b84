import { describe, expect, test } from 'vitest';
import { normalTarget } from '../src/dpop-target.ts';

const plain = 'https://auth.example.com/acme/oauth/token';

describe('the target of a proof', () => {
  test.each([
    plain,
    'HTTPS://Auth.Example.COM/acme/oauth/token',
    'https://auth.example.com:443/acme/oauth/token',
    'https://auth.example.com/acme/oauth/token?client_id=a',
    'https://auth.example.com/acme/oauth/token#fragment',
    'https://auth.example.com/acme/./oauth/x/../token',
    'https://auth.example.com/%61cme/oauth/%74oken',
  ])('%s is one with its plain spelling', (spelling) => {
    expect(normalTarget(spelling)).toBe(plain);
  });

  test.each([
    'http://auth.example.com/acme/oauth/token',
    'https://auth.example.com:8443/acme/oauth/token',
    'https://auth.example.com.evil.example/acme/oauth/token',
    'https://evil.example//auth.example.com/acme/oauth/token',
    'https://auth.example.com//acme/oauth/token',
    'https://auth.example.com/acme/oauth/token/',
    'https://auth.example.com/ACME/oauth/token',
    'https://auth.example.com/acme%2Foauth/token',
    'https://auth.example.com/%2561cme/oauth/token',
  ])('%s is another', (other) => {
    expect(normalTarget(other)).not.toBeNull();
    expect(normalTarget(other)).not.toBe(plain);
  });

  test('keeps what an escape hides, in one spelling', () => {
    expect(normalTarget('https://a.example/x%2fy%C3%a9')).toBe('https://a.example/x%2Fy%C3%A9');
    expect(normalTarget('https://a.example/é')).toBe('https://a.example/%C3%A9');
  });

  test.each(['', '/acme', 'acme', 'urn:x', 'ftp://auth.example.com/a', 'https://user@auth.example.com/a', 'https://'])(
    '%j is none',
    (text) => {
      expect(normalTarget(text)).toBeNull();
    },
  );
});
