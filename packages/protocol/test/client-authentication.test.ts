import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OAuthError, readClientCredentials, refuseCredentialsInQuery } from '../src/index.ts';

const basic = (pair: string): string => `Basic ${btoa(pair)}`;
const read = (authorization: string | undefined, clientId?: string, clientSecret?: string) =>
  readClientCredentials({ authorization, parameters: { clientId, clientSecret }, realm: 'arlo' });

const refusal = (act: () => unknown): OAuthError => {
  try {
    act();
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('client authentication', () => {
  test.each([
    ['Basic', basic('id:secret'), undefined, undefined, { method: 'client_secret_basic', clientId: 'id', secret: 'secret' }],
    [
      'Basic in another case',
      basic('id:secret').replace('Basic', 'bASIC'),
      undefined,
      undefined,
      { method: 'client_secret_basic', clientId: 'id', secret: 'secret' },
    ],
    [
      'Basic beside its own client_id',
      basic('id:secret'),
      'id',
      undefined,
      { method: 'client_secret_basic', clientId: 'id', secret: 'secret' },
    ],
    [
      'Basic, urlencoded (TK-07)',
      basic('a%3Ab%2Bc+d:%25%3A+x'),
      undefined,
      undefined,
      { method: 'client_secret_basic', clientId: 'a:b+c d', secret: '%: x' },
    ],
    ['a colon in the secret', basic('id:a:b'), undefined, undefined, { method: 'client_secret_basic', clientId: 'id', secret: 'a:b' }],
    ['the body', undefined, 'id', 's%2b', { method: 'client_secret_post', clientId: 'id', secret: 's%2b' }],
    [
      'an id alone',
      undefined,
      'https://client.example/metadata.json',
      undefined,
      { method: 'none', clientId: 'https://client.example/metadata.json' },
    ],
  ])('reads %s', (_, authorization, clientId, secret, expected) => {
    expect(read(authorization, clientId, secret)).toEqual(expected);
  });

  test.each([
    ['nothing', undefined],
    ['a secret without id', undefined, undefined, 'secret'],
    ['Bearer', 'Bearer abc'],
    ['a bare scheme', 'Basic'],
    ['a scheme run together', `Basic${btoa('id:secret')}`],
    ['no base64', 'Basic !!!'],
    ['cut padding', `Basic ${btoa('id:s').replaceAll('=', '')}`],
    ['base64url', 'Basic aWQ6_w=='],
    ['no colon', basic('idsecret')],
    ['an empty id', basic(':secret')],
    ['an empty secret', basic('id:')],
    ['a broken escape', basic('id:100%')],
    ['escapes that are not UTF-8', basic('id:%ff%fe')],
    ['bytes beyond ASCII', 'Basic aWQ6/w=='],
    ['an escaped NUL', basic('id:%00')],
    ['two credentials', `${basic('id:secret')}, ${basic('x:y')}`],
    ['a huge header', basic(`id:${'x'.repeat(5_000)}`)],
    ['an id beyond ASCII', undefined, 'é'],
  ])('answers %s with invalid_client and a Basic challenge (TK-05)', (_, authorization, clientId?: string, secret?: string) => {
    const error = refusal(() => read(authorization, clientId, secret));
    expect([error.code, error.status]).toEqual(['invalid_client', 401]);
    expect(error.headers).toEqual({ 'www-authenticate': 'Basic realm="arlo"' });
    expect(error.description).toBe('Client authentication failed');
  });

  test.each([
    ['Basic and a secret in the body (TK-04)', 'id', 'secret'],
    ['Basic and a secret alone', undefined, 'secret'],
    ['Basic and another client_id', 'other', undefined],
  ])('answers %s with invalid_request', (_, clientId, secret) => {
    expect(refusal(() => read(basic('id:secret'), clientId, secret)).code).toBe('invalid_request');
  });

  describe('by an assertion', () => {
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const jwtOf = (claims: unknown): string =>
      `e30.${btoa(JSON.stringify(claims)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.c2ln`;
    const shows = (
      clientAssertion: string | undefined,
      more: {
        readonly clientId?: string;
        readonly clientSecret?: string;
        readonly authorization?: string;
        readonly type?: string | undefined;
      } = {},
    ) =>
      readClientCredentials({
        authorization: more.authorization,
        parameters: {
          clientId: more.clientId,
          clientSecret: more.clientSecret,
          clientAssertion,
          clientAssertionType: 'type' in more ? more.type : type,
        },
        realm: 'arlo',
      });
    const jwt = jwtOf({ sub: 'id' });

    test('takes the client from what it says of itself, with or without client_id', () => {
      const credentials = { method: 'private_key_jwt', clientId: 'id', assertion: jwt };
      expect(shows(jwt)).toEqual(credentials);
      expect(shows(jwt, { clientId: 'id' })).toEqual(credentials);
      const url = jwtOf({ sub: 'https://client.example/a?b=~>' });
      expect(shows(url).clientId).toBe('https://client.example/a?b=~>');
    });

    test.each([
      ['another client_id', jwt, { clientId: 'other' }],
      ['a secret in the body', jwt, { clientSecret: 'secret' }],
      ['Basic', jwt, { authorization: basic('id:secret') }],
      ['no type', jwt, { type: undefined }],
      ['another type', jwt, { type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }],
      ['a type alone', undefined, {}],
    ])('is refused as invalid_request beside %s', (_, assertion, more) => {
      expect(refusal(() => shows(assertion, more)).code).toBe('invalid_request');
    });

    test.each([
      ['nonsense', 'nonsense'],
      ['two parts', 'a.b'],
      ['four parts', `${jwt}.x`],
      ['a payload that is no base64url', 'a.*.c'],
      ['a payload that is no JSON', `a.${btoa('{')}.c`],
      ['a payload that is not UTF-8', 'a.__79.c'],
      ['a payload that is a list', jwtOf(['sub'])],
      ['a payload that is null', jwtOf(null)],
      ['no sub', jwtOf({ iss: 'id' })],
      ['a sub that is a number', jwtOf({ sub: 1 })],
      ['an empty sub', jwtOf({ sub: '' })],
      ['a sub with a control character', jwtOf({ sub: 'a\n' })],
      ['a sub that is too long', jwtOf({ sub: 'x'.repeat(2_049) })],
    ])('is refused as invalid_client where it is %s', (_, assertion) => {
      expect([refusal(() => shows(assertion)).code, refusal(() => shows(assertion)).status]).toEqual(['invalid_client', 401]);
    });
  });

  test('reads encoded and unencoded Basic the same for everything this server issues', () => {
    const issued = fc.stringMatching(/^[A-Za-z0-9_-]+$/);
    fc.assert(
      fc.property(issued, issued, (id, secret) => {
        const plain = read(basic(`${id}:${secret}`));
        expect(plain).toEqual({ method: 'client_secret_basic', clientId: id, secret });
        expect(read(basic(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`))).toEqual(plain);
      }),
    );
  });

  test('undoes form encoding of any printable id and secret (TK-07)', () => {
    const printable = fc.stringMatching(/^[\x20-\x7e]+$/);
    const encode = (text: string): string => new URLSearchParams({ v: text }).toString().slice(2);
    fc.assert(
      fc.property(printable, printable, (id, secret) => {
        expect(read(basic(`${encode(id)}:${encode(secret)}`))).toEqual({ method: 'client_secret_basic', clientId: id, secret });
      }),
    );
  });

  test('answers any header with credentials or an OAuth error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `Basic ${text}`),
        ),
        (header) => {
          try {
            expect(read(header).method).toBe('client_secret_basic');
          } catch (error) {
            expect(error).toBeInstanceOf(OAuthError);
          }
        },
      ),
    );
  });

  test('refuses credentials in the URL by name, not by value (TK-03)', () => {
    const error = refusal(() => refuseCredentialsInQuery({ x: '1', client_secret: 'hush' }));
    expect(error.code).toBe('invalid_request');
    expect(error.message).toContain('client_secret');
    expect(error.message).not.toContain('hush');
    expect(() => refuseCredentialsInQuery({ tenant: '1' })).not.toThrow();
  });

  test.each(['subject_token', 'actor_token', 'client_assertion', 'assertion'])('refuses %s in the URL', (name) => {
    expect(refusal(() => refuseCredentialsInQuery({ [name]: 'hush' })).message).toContain(`${name} must be sent in the request body`);
  });
});
