import { expect, test } from 'vitest';
import { isAcceptedOrigin } from '../../src/mcp/origin.ts';

const local = 'http://localhost:4000/health';
const open = 'https://auth.health.example/health';

test.each([
  ['a program', local, undefined, 'localhost:4000', true],
  ['a page on loopback, on any port', local, 'http://127.0.0.1:6274', 'localhost:4000', true],
  ['a page on loopback by IPv6', local, 'http://[::1]:6274', 'localhost:4000', true],
  ['a page from the network', local, 'https://app.example', 'localhost:4000', false],
  ['a page whose name was rebound', local, 'http://evil.example:4000', 'evil.example:4000', false],
  ['a page that only looks like loopback', local, 'http://127.0.0.1.evil.example', 'localhost:4000', false],
  ['a sandboxed frame', local, 'null', 'localhost:4000', false],
  ['a program', open, undefined, 'auth.health.example', true],
  ['a page of ours', open, 'https://auth.health.example', 'auth.health.example', true],
  ['a page of anybody', open, 'https://app.example', 'auth.health.example', true],
  ['a page of anybody, behind a proxy that renames the host', open, 'https://app.example', 'api.internal:4000', true],
  ['a sandboxed frame', open, 'null', 'auth.health.example', true],
  ['a page whose name was rebound', open, 'http://evil.example', 'evil.example', false],
  ['a page whose name was rebound, in other letters', open, 'http://evil.example', 'EVIL.example', false],
  ['what is no origin', open, 'nonsense', 'auth.health.example', false],
])('%s may speak to the server at %s (origin %s, host %s): %s', (_, issuer, origin, host, accepted) => {
  expect(isAcceptedOrigin({ origin, host, issuer })).toBe(accepted);
});
