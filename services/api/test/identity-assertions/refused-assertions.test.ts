import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { makeKey, signed } from '../client-assertion/support/keyed-clients.ts';
import type { Answer } from '../sessions/support/devices.ts';
import { archive, type Enterprise, employee, openEnterprise, vault } from './support/enterprise.ts';

let enterprise: Enterprise;
beforeAll(async () => {
  enterprise = await openEnterprise(inject('databaseUrl'));
});
afterAll(() => enterprise.close());

const refusedWith = (answer: Answer, error: string, words: RegExp): void => {
  expect(answer).toMatchObject({ status: 400, headers: { 'cache-control': 'no-store' }, body: { error } });
  expect(answer.body['error_description']).toMatch(words);
  expect(answer.body).not.toHaveProperty('access_token');
};

const now = () => Math.floor(Date.now() / 1000);

describe('an identity assertion is refused', () => {
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['for another server', { aud: 'https://other.example' }, /^aud of the assertion/],
    ['for another platform of this server', { aud: 'http://localhost:4000/arlo' }, /^aud of the assertion/],
    ['for this platform and somebody else', { aud: ['http://localhost:4000/company', 'https://other.example'] }, /^aud of the assertion/],
    ['for this platform named twice', { aud: ['http://localhost:4000/company', 'http://localhost:4000/company'] }, /^aud of the assertion/],
    ['for nobody', { aud: undefined }, /^aud of the assertion/],
    ['for another client', { client_id: 'somebody-else' }, /^client_id of the assertion/],
    ['for no client', { client_id: undefined }, /^client_id of the assertion/],
    ['of an issuer that is not trusted', { iss: 'https://idp.example' }, /takes no assertions of that issuer/],
    ['that has expired', { exp: now() - 60, iat: now() - 120 }, /has expired/],
    ['that is good for too long', { exp: now() + 7_200 }, /^exp of the assertion is more than 3600 seconds/],
    ['of the future', { iat: now() + 600 }, /^iat of the assertion/],
    ['without iat', { iat: undefined }, /^iat of the assertion/],
    ['that is not valid yet', { nbf: now() + 600 }, /not valid yet/],
    ['without exp', { exp: undefined }, /iss, sub, jti and exp/],
    ['without jti', { jti: undefined }, /iss, sub, jti and exp/],
    ['without sub', { sub: undefined }, /iss, sub, jti and exp/],
    ['bound in a way that is not known here', { cnf: { 'x5t#S256': 'x' } }, /^cnf of the assertion/],
    ['bound in two ways', { cnf: { jkt: 'x', kid: 'y' } }, /^cnf of the assertion/],
    ['bound to nothing that could be read', { cnf: 'x' }, /^cnf of the assertion/],
    ['limited by what this server does not read', { authorization_details: [{ type: 'payment' }] }, /authorization_details/],
    ['of somebody who acts for somebody', { act: { sub: 'agent' } }, /says act/],
    ['for another tenant', { aud_tenant: 'other' }, /^aud_tenant/],
    ['for another account than its person has', { aud_sub: '00000000-0003-8000-8000-000000000000' }, /^aud_sub/],
    ['for a resource that is not ours', { resource: 'https://elsewhere.example' }, /^resource of the assertion/],
    ['for resources that cannot be read', { resource: [1] }, /^resource of the assertion/],
    ['with a scope that is no text', { scope: ['vault:read'] }, /^scope of the assertion/],
  ];
  test.each(wrong)('%s', async (_, change, words) => {
    refusedWith(await enterprise.show(enterprise.assertion(employee(), { ...change })), 'invalid_grant', words);
  });

  test('of another type, though its provider has signed it', async () => {
    for (const typ of ['JWT', 'at+jwt', undefined])
      refusedWith(await enterprise.show(enterprise.assertion(employee(), {}, { typ })), 'invalid_grant', /oauth-id-jag\+jwt/);
  });

  test('signed by somebody else, by nobody, or with a secret', async () => {
    const stranger = { ...makeKey('ES256'), kid: enterprise.key.kid };
    refusedWith(await enterprise.show(enterprise.assertion(employee(), {}, {}, stranger)), 'invalid_grant', /not signed by its issuer/);
    for (const alg of ['none', 'HS256']) {
      const shown = signed(enterprise.key, enterprise.claimsOf(employee()), { typ: 'oauth-id-jag+jwt', alg });
      refusedWith(await enterprise.show(shown), 'invalid_grant', /has to be signed with one of/);
    }
  });

  test('that is no JWT at all, or missing', async () => {
    refusedWith(await enterprise.show('nonsense'), 'invalid_grant', /^assertion has to be a JWT/);
    refusedWith(await enterprise.show(''), 'invalid_request', /^assertion is required/);
  });

  test('shown by another client than it is for', async () => {
    const other = await enterprise.agent();
    refusedWith(await enterprise.show(enterprise.assertion(employee()), {}, { by: other }), 'invalid_grant', /^client_id of the assertion/);
  });

  test('for a resource beside those that it names', async () => {
    const both = await enterprise.configure('both', {
      resources: [vault, archive].map((uri) => ({ uri, name: uri, scopes: ['vault:read'] })),
    });
    const there = await enterprise.agent({ platform: both });
    const shown = (resource: unknown) =>
      enterprise.assertion(employee(), { aud: `http://localhost:4000/${both}`, client_id: there.clientId, resource });
    const more = { at: both, by: there };
    refusedWith(await enterprise.show(shown(vault), { resource: archive }, more), 'invalid_target', /not among those of the assertion/);
    refusedWith(await enterprise.show(shown(undefined), {}, more), 'invalid_target', /has several resources/);
    refusedWith(await enterprise.show(shown([vault, archive]), {}, more), 'invalid_target', /The assertion has several resources/);
    refusedWith(
      await enterprise.show(shown(undefined), { resource: `http://localhost:4000/${both}/account` }, more),
      'invalid_target',
      /not one of/,
    );
    expect(await enterprise.show(shown([vault, archive]), { resource: archive }, more)).toMatchObject({ status: 200 });
  });

  test('to a client without the grant type, and on a platform without it', async () => {
    const plain = await enterprise.agent({ grantTypes: ['authorization_code'], redirectUris: ['https://plain.example/cb'] });
    const shown = enterprise.assertion(employee(), { client_id: plain.clientId });
    refusedWith(await enterprise.show(shown, {}, { by: plain }), 'unauthorized_client', /not registered for this grant type/);
  });
});

test('a provider whose keys cannot be had makes nobody lose an assertion', async () => {
  const issuer = `${enterprise.site.origin}/gone`;
  const gone = await enterprise.configure('gone', { trustedIssuers: [{ ...enterprise.trusted, issuer, jwksUri: `${issuer}/keys` }] });
  const there = await enterprise.agent({ platform: gone });
  const shown = enterprise.assertion(employee(), { iss: issuer, aud: `http://localhost:4000/${gone}`, client_id: there.clientId });
  expect(await enterprise.show(shown, {}, { at: gone, by: there })).toMatchObject({
    status: 503,
    body: { error: 'temporarily_unavailable' },
  });
});

test('a provider that is not trusted any more is refused at once', async () => {
  const more = { trustedIssuers: [enterprise.trusted] };
  const fickle = await enterprise.configure('fickle', more);
  const there = await enterprise.agent({ platform: fickle });
  const shown = () => enterprise.assertion(employee(), { aud: `http://localhost:4000/${fickle}`, client_id: there.clientId });
  expect(await enterprise.show(shown(), {}, { at: fickle, by: there })).toMatchObject({ status: 200 });
  await enterprise.configure('fickle', { trustedIssuers: [{ ...enterprise.trusted, issuer: 'https://other.example' }] });
  refusedWith(await enterprise.show(shown(), {}, { at: fickle, by: there }), 'invalid_grant', /takes no assertions of that issuer/);
});
