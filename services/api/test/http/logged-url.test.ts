import { describe, expect, test, vi } from 'vitest';
import { loggedForeignUrl, loggedUrl } from '../../src/http/logged-url.ts';

describe('a logged URL', () => {
  test.each([
    ['/a/oauth/authorize?client_id=x&scope=openid%20read', '/a/oauth/authorize?client_id=x&scope=openid%20read'],
    ['/a/x?token=abc&client_id=x', '/a/x?token=[redacted]&client_id=x'],
    ['/a/x?redirect_uri=https%3A%2F%2Fc.example%2Fcb&x=%zz', '/a/x?redirect_uri=https%3A%2F%2Fc.example%2Fcb&x=%zz'],
    ['/a/x?flag&=&a=b=c', '/a/x?flag&=&a=b=c'],
    ['/a', '/a'],
    ['/a/connect/arh_lAbc?x=1', '/a/connect/[redacted]?x=1'],
    ['/connect/cut-in-half', '/connect/[redacted]'],
    ['/a/connect', '/a/connect'],
    ['/a/oauth/connect/token', '/a/oauth/connect/token'],
    ['/a/rest/signup/arh_sAbc', '/a/rest/signup/[redacted]'],
    ['/a/rest/signup/status', '/a/rest/signup/status'],
    [`/a/connect%2Farh_l${'A'.repeat(77)}`, '/a/connect%2F[redacted]'],
    [`/nowhere/arh_s${'A'.repeat(77)}/x`, '/nowhere/[redacted]/x'],
    ['/a/x?next=%2Fb%3Fpage%3D2%26sort%3Dup', '/a/x?next=%2Fb%3Fpage%3D2%26sort%3Dup'],
    ['/a/x?next=%2Fb%3Fpage%3D2%26code%3D1&y=1', '/a/x?next=[redacted]&y=1'],
    ['/a/x?next=https%3A%2F%2Fuser%3Apassword%40c.example', '/a/x?next=[redacted]'],
    ['/a/x?next=?b=?code=1', '/a/x?next=[redacted]'],
    ['/a/x?next=%2Fb%3Fcode%3D1%zz%e2%28', '/a/x?next=[redacted]'],
  ])('%s is %s', (url, logged) => expect(loggedUrl(url)).toBe(logged));

  const within = (times: number, url: string): string =>
    times === 0 ? url : within(times - 1, `https://c.example/?redirect_uri=${encodeURIComponent(url)}`);

  test.each([0, 1, 2, 4])('names no secret of a URL %i levels within it', (depth) => {
    for (const inner of ['https://c.example/cb?code=canary', 'https://c.example/cb#access_token=canary', '/cb?x=1&refresh%5ftoken=canary'])
      expect(loggedUrl(`/a/oauth/authorize?client_id=x&redirect_uri=${encodeURIComponent(within(depth, inner))}`)).toBe(
        '/a/oauth/authorize?client_id=x&redirect_uri=[redacted]',
      );
  });

  test('names no secret wherever a long one is cut', () => {
    for (let length = 1_970; length < 2_050; length += 1) {
      const url = `/${'a'.repeat(length)}?redirect_uri=${encodeURIComponent('https://c.example/cb?refresh_token=canary')}`;
      expect(loggedUrl(url)).not.toContain('canary');
    }
  });

  test.each([
    ['nested in itself', (times: number) => `/x?${'a=?'.repeat(times)}code=1`],
    ['of many parameters', (times: number) => `/x?${'otp=1&'.repeat(times)}`],
    ['of many escapes', (times: number) => `/x?a=${'%25'.repeat(times)}3fcode=1`],
  ])('%s costs and tells no more the longer it is', (_, url) => {
    const cost = (times: number) => {
      const decoded = vi.spyOn(globalThis, 'decodeURIComponent');
      const replaced = vi.spyOn(String.prototype, 'replaceAll');
      const logged = loggedUrl(url(times));
      const read = [...decoded.mock.calls.map(([text]) => text), ...(replaced.mock.contexts as readonly string[])];
      decoded.mockRestore();
      replaced.mockRestore();
      return { told: logged.length, read: read.join('').length };
    };
    const [small, large] = [cost(100), cost(5_000)];
    for (const { told, read } of [small, large]) {
      expect(told).toBeLessThan(4 * 2_048);
      expect(read).toBeLessThan(8 * 2_048);
    }
    expect(url(5_000).length).toBeGreaterThan(10_000);
    expect(loggedUrl(url(5_000)).length).toBeLessThan(4 * 2_048);
  });
});

test.each([
  ['/acme/api/things?q=a@b.example&key=secret#x', '/acme/api/things?[redacted]'],
  ['/acme/api/things?', '/acme/api/things?[redacted]'],
  ['/acme/api/things/7', '/acme/api/things/7'],
])('%s that is passed on is %s: whose parameters are secret is for its resource to know', (url, logged) => {
  expect(loggedForeignUrl(url)).toBe(logged);
});
