import { expect, test } from 'vitest';
import { formTargetOf } from '../../src/http/page.ts';

test.each([
  ['https://agent.example/cb', 'https://agent.example'],
  ['http://127.0.0.1:8765/callback', 'http://127.0.0.1:8765'],
  // A policy knows no IPv6 literal; Chromium would ignore the source and hold the redirect back.
  ['http://[::1]:8765/callback', 'http:'],
  ['cursor://anysphere.cursor-mcp/oauth/callback', 'cursor:'],
  ['https://evil;sandbox;.example/cb', 'https:'],
])('a form that ends at %s may lead to %s', (redirectUri, target) => {
  expect(formTargetOf(redirectUri)).toBe(target);
});
