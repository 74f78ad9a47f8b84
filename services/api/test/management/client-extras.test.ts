import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeKey } from '../client-assertion/support/keyed-clients.ts';
import { createDeveloperWorld, type DeveloperWorld, type TestDeveloper, webApp } from '../developer/support.ts';
import type { Answer } from './support/world.ts';

let world: DeveloperWorld;
let developer: TestDeveloper;
const [key, other] = [makeKey('ES256'), makeKey('RS256')];
beforeAll(async () => {
  world = await createDeveloperWorld(inject('databaseUrl'));
  const shop = await world.open('shop');
  developer = await world.developer(shop);
});
afterAll(() => world.close());

const clients = '/arlo/manage/clients';
const about = {
  clientUri: 'https://app.example/',
  logoUri: 'https://app.example/logo.png',
  tosUri: null,
  policyUri: null,
  softwareId: 'robot',
  softwareVersion: '1.2',
};
const all = {
  applicationType: 'native',
  jwks: { keys: [key.jwk] },
  jwksUri: null,
  assertionAlg: 'ES256',
  postLogoutRedirectUris: ['https://app.example/bye'],
  backchannelLogout: { uri: 'https://app.example/logout', sessionRequired: true },
  dpopRequired: true,
  parRequired: true,
  about,
};
const web = { kind: 'confidential', name: 'An app with keys', redirectUris: ['https://app.example/cb'], authMethods: ['private_key_jwt'] };

const operator = (method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<Answer> =>
  world.call(world.root, method, path, body);
const register = async (extras: object = all): Promise<string> => {
  const { status, body, text } = await operator('POST', clients, { ...web, ...extras });
  expect(status, text).toBe(201);
  return `${clients}/${body['clientId']}`;
};
const problemsOf = ({ status, body }: Answer): readonly string[] => {
  expect(status).toBe(400);
  return (body['errors'] as readonly { readonly path: string; readonly problem: string }[]).map(
    ({ path, problem }) => `${path} ${problem}`,
  );
};

describe('operators', () => {
  test('register every setting of a client and read it back; one with keys has no secret', async () => {
    const { body } = await operator('POST', clients, { ...web, ...all });
    expect(body['secret']).toBeNull();
    expect((await operator('GET', `${clients}/${body['clientId']}`)).body).toMatchObject({ ...all, secrets: 0 });
  });

  test('read what holds where nothing was said', async () => {
    const at = await register({ authMethods: ['client_secret_basic'] });
    expect((await operator('GET', at)).body).toMatchObject({
      applicationType: 'web',
      jwks: null,
      jwksUri: null,
      assertionAlg: null,
      postLogoutRedirectUris: [],
      backchannelLogout: null,
      dpopRequired: false,
      parRequired: false,
      about: { clientUri: null, softwareId: null },
    });
  });

  test('change one setting and leave the others, in what it says of itself as well', async () => {
    const at = await register();
    expect(await operator('PATCH', at, { parRequired: false, about: { logoUri: null } })).toMatchObject({ body: { changed: true } });
    expect((await operator('GET', at)).body).toMatchObject({ ...all, parRequired: false, about: { ...about, logoUri: null } });
    expect(await operator('PATCH', at, { about: { clientUri: about.clientUri } })).toMatchObject({ body: { changed: false } });
  });

  test('exchange keys by value for their address, and never have both or none', async () => {
    const at = await register();
    expect(await operator('PATCH', at, { jwksUri: 'https://app.example/jwks' })).toMatchObject({
      status: 422,
      body: { code: 'keys_ambiguous' },
    });
    expect(await operator('PATCH', at, { jwks: null })).toMatchObject({ status: 422, body: { code: 'keys_missing' } });
    expect((await operator('PATCH', at, { jwks: null, jwksUri: 'https://app.example/jwks' })).status).toBe(200);
    expect((await operator('GET', at)).body).toMatchObject({ jwks: null, jwksUri: 'https://app.example/jwks' });
  });

  test('have of a key only what makes it a public one', async () => {
    const at = await register({ ...all, jwks: { keys: [{ ...key.jwk, x5c: ['canary-certificate'], note: 'canary-note' }] } });
    const { text } = await operator('GET', at);
    expect(text).toContain(String(key.jwk['x']));
    expect(text).not.toContain('canary');
  });

  test('are told everything that is wrong at once, and of a private key no more than its member', async () => {
    const wrong = {
      jwks: { keys: [{ ...key.jwk, d: 'canary-private' }] },
      postLogoutRedirectUris: ['https://app.example/a', 'javascript:alert(1)', 'https://app.example/a'],
      backchannelLogout: { uri: 'http://app.example/logout', sessionRequired: false },
      about: { clientUri: 'javascript:alert(1)', tosUri: 'https://user:pass@app.example/' },
    };
    const refused = await operator('POST', clients, { ...web, ...wrong });
    expect(refused.text).not.toContain('canary');
    expect(problemsOf(refused)).toEqual([
      expect.stringMatching(/^jwks is refused: .*member d/),
      expect.stringMatching(/^backchannelLogout.uri cannot be asked/),
      expect.stringMatching(/^postLogoutRedirectUris\[1\] is refused because/),
      'postLogoutRedirectUris[2] is there twice',
      'about.clientUri is no http or https URL',
      'about.tosUri is no http or https URL',
    ]);
  });

  test.each<readonly [string, object, RegExp]>([
    [
      'a key that verifies nothing',
      { jwks: { keys: [{ kty: 'EC', crv: 'P-384', x: 'x', y: 'y' }] } },
      /^jwks has no key that could verify/,
    ],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'canary' }] } }, /^jwks is refused/],
    ['a JWK set on a private network', { jwks: null, jwksUri: 'https://10.0.0.1/jwks' }, /^jwksUri cannot be asked/],
    ['a JWK set by plain http', { jwks: null, jwksUri: 'http://app.example/jwks' }, /^jwksUri cannot be asked/],
    ['a fragment', { jwks: null, jwksUri: 'https://app.example/jwks#x' }, /^jwksUri has a fragment/],
    ['another algorithm', { assertionAlg: 'HS256' }, /^assertionAlg/],
    ['a member that is none', { about: { email: 'x' } }, /^about.email is not a known property/],
  ])('are refused %s', async (_what, change, problem) => {
    expect(problemsOf(await operator('POST', clients, { ...web, ...all, ...change }))).toEqual(
      expect.arrayContaining([expect.stringMatching(problem)]),
    );
  });
});

describe('developers', () => {
  const mine = { ...webApp, authMethods: ['private_key_jwt'], ...all };

  test('register a client with keys of their own, and see what they registered', async () => {
    const { status, body } = await developer.ask('POST', '', mine);
    expect([status, body['clientSecret']]).toEqual([201, null]);
    expect((await developer.ask('GET', `/${body['clientId']}`)).body).toMatchObject({ ...all, authMethods: ['private_key_jwt'] });
    expect(problemsOf(await developer.ask('POST', '', { ...mine, jwks: { keys: [{ ...key.jwk, d: 'x' }] } }))).toHaveLength(1);
  });

  test('change their keys at once, and what people see or what is less strict once an operator agrees', async () => {
    const { body } = await developer.ask('POST', '', mine);
    const at = `/${body['clientId']}`;
    await world.approve('shop' as never, String(body['clientId']));
    const change = {
      jwks: { keys: [other.jwk] },
      assertionAlg: null,
      parRequired: false,
      postLogoutRedirectUris: ['https://app.example/bye', 'https://elsewhere.example/'],
      about: { clientUri: 'https://elsewhere.example/' },
    };
    const changed = await developer.ask('PATCH', at, change);
    expect(changed.body['client']).toMatchObject({
      jwks: change.jwks,
      assertionAlg: null,
      parRequired: true,
      postLogoutRedirectUris: all.postLogoutRedirectUris,
      about,
      proposal: {
        changes: {
          parRequired: false,
          postLogoutRedirectUris: change.postLogoutRedirectUris,
          about: { ...about, clientUri: 'https://elsewhere.example/' },
        },
      },
    });
    await world.approve('shop' as never, String(body['clientId']));
    expect((await developer.ask('GET', at)).body).toMatchObject({ parRequired: false, proposal: null });
  });
});
