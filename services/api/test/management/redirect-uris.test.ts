import { isRedirectUri } from '@grantlog/domain';
import { parseRedirectUri } from '@grantlog/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const schemes = [
  'https',
  'http',
  'HTTPS',
  'cursor',
  'com.example.app',
  'intent',
  'javascript',
  'mailto',
  'chrome',
  'ws',
  'view-source',
  '1a',
];
const pieces = [
  '',
  'a.example',
  'localhost',
  '127.0.0.1',
  '[::1]',
  '127.1',
  'LOCALHOST',
  'ä.example',
  '*.a',
  'u@a',
  '%61',
  ';',
  '\\',
  '\t',
];
const paths = ['', '/', '/cb', '/../cb', '/%2e', '/cb/..', '/%zz', '/ö', '/a b', '//b'];
const queries = ['', '?', '?x=1', '?code=1', '?x=1&st%61te=2', '?iss', '#', '#f', '?x=ü'];

test('a platform document takes the redirect URIs that registration takes, and no others', () => {
  const uri = fc
    .tuple(
      fc.constantFrom(...schemes),
      fc.constantFrom('://', ':', ':/', ':///', '//'),
      fc.constantFrom(...pieces),
      fc.constantFrom('', ':', ':8080', ':99999'),
      fc.constantFrom(...paths),
      fc.constantFrom(...queries),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(uri, fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })), (text) => {
      expect(isRedirectUri(text)).toBe(parseRedirectUri(text).kind !== 'refused');
    }),
    { numRuns: 5_000 },
  );
});
