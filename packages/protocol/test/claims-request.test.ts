import { describe, expect, test } from 'vitest';
import { readClaimsRequest } from '../src/index.ts';

const read = (json: unknown) => readClaimsRequest(JSON.stringify(json));

describe('readClaimsRequest', () => {
  test('reads the example of OIDC Core §5.5', () => {
    const asked = read({
      userinfo: {
        given_name: { essential: true },
        nickname: null,
        email: { essential: true },
        'http://example.info/claims/groups': null,
      },
      id_token: { auth_time: { essential: true }, acr: { values: ['urn:mace:incommon:iap:silver'] } },
    });
    expect([...(asked?.userinfo ?? [])]).toEqual([
      ['given_name', { essential: true, values: null }],
      ['nickname', { essential: false, values: null }],
      ['email', { essential: true, values: null }],
      ['http://example.info/claims/groups', { essential: false, values: null }],
    ]);
    expect([...(asked?.idToken ?? [])]).toEqual([
      ['auth_time', { essential: true, values: null }],
      ['acr', { essential: false, values: ['urn:mace:incommon:iap:silver'] }],
    ]);
  });

  test('is null where nothing is asked, and empty for places that are left out', () => {
    expect(readClaimsRequest(undefined)).toBeNull();
    expect(read({})).toEqual({ idToken: new Map(), userinfo: new Map() });
    expect(read({ id_token: null, userinfo: { name: null } })?.idToken.size).toBe(0);
  });

  test('ignores members that it does not know, and takes a single value as the only one', () => {
    const asked = read({ verified_claims: 7, id_token: { sub: { value: 'somebody', purpose: 'x' } } });
    expect(asked?.idToken.get('sub')).toEqual({ essential: false, values: ['somebody'] });
  });

  test('keeps names that are special to objects as names', () => {
    const asked = readClaimsRequest('{"userinfo":{"__proto__":null,"constructor":{"essential":true}}}');
    expect([...(asked?.userinfo.keys() ?? [])]).toEqual(['__proto__', 'constructor']);
  });

  test.each([
    ['{', 'must be JSON'],
    ['[]', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
    ['"userinfo"', 'must be a JSON object'],
    ['{"userinfo":[]}', 'userinfo must be an object'],
    ['{"id_token":"sub"}', 'id_token must be an object'],
    ['{"id_token":{"sub":"x"}}', 'must be null or an object'],
    ['{"id_token":{"sub":[]}}', 'must be null or an object'],
    ['{"id_token":{"sub":{"essential":"yes"}}}', 'essential must be'],
    ['{"id_token":{"acr":{"values":"x"}}}', 'values must be a list'],
    ['{"id_token":{"acr":{"value":"x","values":["x"]}}}', 'either value or values'],
    [JSON.stringify({ userinfo: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`c${index}`, null])) }), 'more than 100'],
  ])('refuses %s in words', (text, words) => {
    expect(() => readClaimsRequest(text)).toThrow(
      expect.objectContaining({ code: 'invalid_request', description: expect.stringContaining(words) }),
    );
  });

  test('takes the deepest text that a parameter may have', () => {
    const deep = `{"userinfo":{"a":{"value":${'['.repeat(4_000)}${']'.repeat(4_000)}}}}`;
    expect(readClaimsRequest(deep)?.userinfo.size).toBe(1);
  });
});
