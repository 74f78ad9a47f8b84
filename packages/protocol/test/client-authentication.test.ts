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
});
