import { describe, expect, test } from 'vitest';
import { loggedUrl } from '../../src/http/logged-url.ts';

describe('a logged URL', () => {
  test.each([
    ['/a/oauth/authorize?client_id=x&scope=openid%20read', '/a/oauth/authorize?client_id=x&scope=openid%20read'],
    ['/a/x?token=abc&client_id=x', '/a/x?token=[redacted]&client_id=x'],
    ['/a/x?redirect_uri=https%3A%2F%2Fc.example%2Fcb&x=%zz', '/a/x?redirect_uri=https%3A%2F%2Fc.example%2Fcb&x=%zz'],
    ['/a/x?flag&=&a=b=c', '/a/x?flag&=&a=b=c'],
    ['/a', '/a'],
  ])('%s is %s', (url, logged) => expect(loggedUrl(url)).toBe(logged));

  const within = (times: number, url: string): string =>
    times === 0 ? url : within(times - 1, `https://c.example/?redirect_uri=${encodeURIComponent(url)}`);

  test.each([0, 1, 2, 4])('names no secret of a URL %i levels within it', (depth) => {
    for (const inner of ['https://c.example/cb?code=canary', 'https://c.example/cb#access_token=canary', '/cb?x=1&refresh%5ftoken=canary'])
      expect(loggedUrl(`/a/oauth/authorize?client_id=x&redirect_uri=${encodeURIComponent(within(depth, inner))}`)).not.toContain('canary');
  });
});
