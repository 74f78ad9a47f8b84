import { parsePlatformDocument } from '@grantlog/domain';
import { describe, expect, test } from 'vitest';
import { findUpstream } from '../../src/upstream/find-upstream.ts';
import { isPlainPath } from '../../src/upstream/is-plain-path.ts';

const issuer = 'https://auth.example/acme';
const at = (uri: string, upstream: string | null) => ({ uri, name: uri, scopes: [], upstream });
const parsed = parsePlatformDocument({
  name: 'acme',
  displayName: 'Acme',
  scopes: [{ name: 'read', description: 'Read' }],
  resources: [
    at(`${issuer}/api`, 'http://10.0.0.1:1/whole/'),
    at(`${issuer}/api/v2/`, 'http://user:word@10.0.0.2:2/v2?key=value'),
    at(`${issuer}/api/direct`, null),
    at('https://auth.example/other/api', 'http://10.0.0.3:3'),
    at('https://auth.example/acme-too/api', 'http://10.0.0.4:4'),
    at('https://elsewhere.example/acme/api/v3', 'http://10.0.0.5:5'),
    at('https://auth.example/acne/api/v4', 'http://10.0.0.6:6'),
  ],
});
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const find = (path: string) => {
  const found = findUpstream({ document: parsed.document, issuer, path });
  return found === null ? null : [found.publicUrl, found.url + found.rest];
};

describe('a path under an issuer', () => {
  test.each([
    ['/api', `${issuer}/api`, 'http://10.0.0.1:1/whole'],
    ['/api/', `${issuer}/api`, 'http://10.0.0.1:1/whole/'],
    ['/api/things/%41', `${issuer}/api`, 'http://10.0.0.1:1/whole/things/%41'],
    ['/api/v22/x', `${issuer}/api`, 'http://10.0.0.1:1/whole/v22/x'],
    ['/api/v3/x', `${issuer}/api`, 'http://10.0.0.1:1/whole/v3/x'],
    ['/api/v4/x', `${issuer}/api`, 'http://10.0.0.1:1/whole/v4/x'],
    ['/api/v2', `${issuer}/api/v2`, 'http://10.0.0.2:2/v2'],
    ['/api/v2//x', `${issuer}/api/v2`, 'http://10.0.0.2:2/v2//x'],
  ])('%s belongs to the longest resource that begins it by whole segments', (path, publicUrl, target) => {
    expect(find(path)).toEqual([publicUrl, target]);
  });

  test.each(['/', '/apis', '/Api/x', '/%61pi/x', '/other/api', '/oauth/token', '//api'])('%s belongs to none', (path) => {
    expect(find(path)).toBeNull();
  });
});

test.each(['', '/', '/a.b/.c/c.', '/a...b', '/a%20b/%C3%A9', '/%252e%252e/x', '/a;b=c', '//x'])('%j is a plain path', (path) => {
  expect(isPlainPath(path)).toBe(true);
});

test.each([
  '/..',
  '/./x',
  '/x/../y',
  '/%2e%2E/x',
  '/.%2e',
  '/..;/x',
  '/..c',
  '/c..',
  '/...',
  '/.;a',
  '/..%3bx',
  '/a%2fb',
  '/a%5Cb',
  '/a\\b',
  '/a%00',
  '/a%0d%0ab',
  '/%7f',
  '/%c2%85',
  '/%ff',
  '/%zz',
  '/%',
])('%j is not a plain path', (path) => {
  expect(isPlainPath(path)).toBe(false);
});
