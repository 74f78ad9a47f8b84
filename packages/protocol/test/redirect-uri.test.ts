import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchRedirectUri, parseRedirectUri, redirectWith } from '../src/index.ts';

describe('registering a redirect URI', () => {
  test.each([
    ['https://claude.ai/api/mcp/auth_callback', 'https', 'claude.ai'],
    ['https://a.example:8443/cb?tenant=1', 'https', 'a.example'],
    ['https://a.example:443/cb', 'https', 'a.example'],
    ['https://xn--bcher-kva.example/cb', 'https', 'xn--bcher-kva.example'],
    ['http://localhost/callback', 'loopback', 'localhost'],
    ['http://127.0.0.1/', 'loopback', '127.0.0.1'],
    ['http://127.0.0.1:33418/', 'loopback', '127.0.0.1'],
    ['http://[::1]:8080/cb', 'loopback', '[::1]'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'private_use', 'cursor'],
    ['com.example.app:/oauth', 'private_use', 'com.example.app'],
  ] as const)('accepts %s as %s', (uri, kind, host) => {
    expect(parseRedirectUri(uri)).toEqual({ kind, uri, host });
  });

  test.each([
    ['', 'nothing'],
    ['/cb', 'relative'],
    ['//a/cb', 'without scheme'],
    ['https:a.example/cb', 'without slashes, which browsers repair'],
    ['https:///a.example/cb', 'empty host'],
    ['https://a.example/cb#', 'AZ-08: empty fragment'],
    ['https://a.example/cb#x', 'AZ-08: fragment'],
    ['https://a@evil.example/cb', 'AZ-04: user name'],
    ['https://evil;sandbox;.example/cb', 'a semicolon in the host'],
    ["https://evil'.example/cb", 'a quote in the host'],
    ['https://evil,b.example/cb', 'a comma in the host'],
    ['https://a%40evil.example/cb', 'AZ-04: escaped at sign'],
    ['https://a\\@evil.example/cb', 'AZ-04: backslash'],
    ['https://a.example\\cb', 'backslash'],
    ['https://a.ex\tample/cb', 'AZ-04: tab'],
    ['https://a.example/cb\n', 'AZ-04: newline'],
    [' https://a.example/cb', 'leading space'],
    ['https://ä.example/cb', 'not ASCII'],
    ['https://%61.example/cb', 'escaped host'],
    ['https://0x7f.1/cb', 'host that normalises to loopback'],
    ['https://*.a.example/cb', 'wildcard'],
    ['https://a.example:/cb', 'empty port'],
    ['https://a.example:99999/cb', 'port out of range'],
    ['https://a.example/x/../cb', 'dot segments'],
    ['https://a.example/x/%2e%2E/cb', 'escaped dot segments'],
    ['https://a.example/%zz', 'broken escape'],
    ['https://a.example/cb?code=1', 'a parameter of the response'],
    ['https://a.example/cb?x=1&iss=a', 'a parameter of the response'],
    ['http://a.example/cb', 'http elsewhere'],
    ['http://127.0.0.1.evil.example/cb', 'AZ-06'],
    ['http://localhost.evil.example/cb', 'AZ-06'],
    ['http://127.1/cb', 'another spelling of loopback'],
    ['http://0.0.0.0/cb', 'any address'],
    ['javascript:alert(1)', 'AZ-07'],
    ['JavaScript:alert(1)', 'AZ-07'],
    ['java\tscript:alert(1)', 'AZ-07'],
    ['data:text/html,x', 'AZ-07'],
    ['vbscript:x', 'AZ-07'],
    ['file:///etc/passwd', 'AZ-07'],
    ['blob:https://a.example/1', 'AZ-07'],
    ['about:blank', 'AZ-07'],
    ['intent://a#Intent;end', 'AZ-07'],
    ['myapp:', 'nothing after the scheme'],
    ['myapp://', 'nothing after the scheme'],
    ['cursor://user@host/cb', 'user name'],
    [`https://a.example/${'x'.repeat(2_048)}`, 'too long'],
  ])('refuses %j (%s)', (uri) => {
    expect(parseRedirectUri(uri).kind).toBe('refused');
  });

  test('never accepts what a browser reads as another host, or as a document', () => {
    const piece = fc.constantFrom(
      'https',
      'http',
      'javascript',
      ':',
      '//',
      '/',
      '@',
      '\\',
      '\t',
      'evil',
      '.',
      'a',
      '127.0.0.1',
      'localhost',
      '#',
      '?',
      '%40',
      '..',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const parsed = parseRedirectUri(pieces.join(''));
        if (parsed.kind !== 'https' && parsed.kind !== 'loopback') return;
        const seen = new URL(parsed.uri);
        expect(seen.hostname).toBe(parsed.host);
        expect([seen.username, seen.password, seen.hash]).toEqual(['', '', '']);
        expect(['https:', 'http:']).toContain(seen.protocol);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('matching a redirect URI', () => {
  test.each([
    'https://a/cb/',
    'https://a/cb?x=1',
    'https://a/cb?',
    'https://a/cb#',
    'https://a/CB',
    'https://a/cb%2f',
    'https://a/x/../cb',
    'HTTPS://A/cb',
    '//a/cb',
    'https://a:443/cb',
    'https://a:8443/cb',
    'http://a/cb',
    'https://a@evil/cb',
    'https://a%40evil/cb',
    'https://a\\@evil/cb',
    'https://a.evil/cb',
    'https://a/c\tb',
    'https://a/cb\n',
    '',
  ])('tells %j from https://a/cb (AZ-03, AZ-04)', (presented) => {
    expect(matchRedirectUri('https://a/cb', presented)).toBe(false);
    expect(matchRedirectUri('https://a/cb', 'https://a/cb')).toBe(true);
  });

  test.each([
    ['http://127.0.0.1/cb', 'http://127.0.0.1:51004/cb', 'AZ-05'],
    ['http://127.0.0.1:8080/cb', 'http://127.0.0.1/cb', 'AZ-05'],
    ['http://localhost/callback', 'http://localhost:3118/callback', 'Claude Code'],
    ['http://[::1]:1/cb?a=1', 'http://[::1]:65535/cb?a=1', 'IPv6'],
    ['http://127.0.0.1/', 'http://127.0.0.1:33418/', 'VS Code'],
    ['http://127.0.0.1', 'http://127.0.0.1:1', 'no path'],
  ])('lets the port of %s vary: %s (%s)', (registered, presented) => {
    expect(matchRedirectUri(registered, presented)).toBe(true);
  });

  test.each([
    ['http://127.0.0.1/cb', 'http://localhost.evil/cb', 'AZ-06'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1.evil/cb', 'AZ-06'],
    ['http://127.0.0.1/cb', 'http://[::1]/cb', 'AZ-06'],
    ['http://127.0.0.1/cb', 'http://localhost/cb', 'another name'],
    ['http://localhost/cb', 'http://LOCALHOST:1/cb', 'case'],
    ['http://127.0.0.1/cb', 'https://127.0.0.1:1/cb', 'scheme'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:1/cb/', 'path'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:1/cb?x', 'query'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:1/cb#x', 'fragment'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:0/cb', 'port 0'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:65536/cb', 'port out of range'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:/cb', 'empty port'],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:80@evil/cb', 'user name (CV-12)'],
    ['http://127.0.0.1', 'http://127.0.0.1:1\\@evil', 'backslash'],
    ['http://127.0.0.1', 'http://127.0.0.1@evil', 'user name'],
    ['https://127.0.0.1/cb', 'https://127.0.0.1:1/cb', 'https keeps its port'],
    ['http://127.0.0.2/cb', 'http://127.0.0.2:1/cb', 'not one of the three names'],
    ['cursor://a/cb', 'cursor://a:1/cb', 'private-use scheme'],
  ])('keeps %s from %s (%s)', (registered, presented) => {
    expect(matchRedirectUri(registered, presented)).toBe(false);
  });

  test('holds for equal bytes, and otherwise only between loopback URIs that differ in nothing but the port', () => {
    const host = fc.constantFrom('http://127.0.0.1', 'http://[::1]', 'http://localhost', 'https://a.example', 'http://127.0.0.1.evil');
    const port = fc.constantFrom('', ':1', ':8080', ':65535');
    const rest = fc.constantFrom('', '/', '/cb', '/cb?x=1', '/CB', '/cb/');
    fc.assert(
      fc.property(fc.tuple(host, port, rest), fc.tuple(host, port, rest), (one, other) => {
        const equal = one.join('') === other.join('');
        const loopback = ['http://127.0.0.1', 'http://[::1]', 'http://localhost'].includes(one[0]);
        const expected = equal || (loopback && one[0] === other[0] && one[2] === other[2]);
        expect(matchRedirectUri(one.join(''), other.join(''))).toBe(expected);
      }),
    );
  });
});

describe('building the response URL', () => {
  test.each([
    ['https://a/cb', 'https://a/cb?code=1&state=s'],
    ['https://a/cb?x=%7e+1', 'https://a/cb?x=%7e+1&code=1&state=s'],
    ['https://a/cb?', 'https://a/cb?code=1&state=s'],
    ['https://a/cb?x=1&', 'https://a/cb?x=1&code=1&state=s'],
    ['https://a:443/./cb', 'https://a:443/./cb?code=1&state=s'],
    ['com.example.app:/oauth', 'com.example.app:/oauth?code=1&state=s'],
    ['http://127.0.0.1:51004', 'http://127.0.0.1:51004?code=1&state=s'],
  ])('appends to %s without touching its bytes', (uri, expected) => {
    expect(redirectWith(uri, { code: '1', error: undefined, state: 's' })).toBe(expected);
    expect(redirectWith(uri, { state: undefined })).toBe(uri);
  });

  test('gives every value back exactly, and lets none split the header (AZ-20)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (state) => {
        const url = redirectWith('https://a/cb?x=1', { state });
        expect(url).toMatch(/^[\x21-\x7e]+$/);
        expect(new URL(url).searchParams.get('state')).toBe(state);
        expect(new URL(url).searchParams.get('x')).toBe('1');
      }),
    );
  });
});
