import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createProofKey } from '../../../../test/support/proof-key.ts';
import { type Enterprise, employee, openEnterprise, vault } from './support/enterprise.ts';

let enterprise: Enterprise;
beforeAll(async () => {
  enterprise = await openEnterprise(inject('databaseUrl'));
});
afterAll(() => enterprise.close());

describe('an identity assertion', () => {
  test('is exchanged for an access token of the person it names, and nothing that stays', async () => {
    const answer = await enterprise.show(enterprise.assertion(employee()));
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { token_type: 'Bearer', scope: 'vault:read vault:write' },
    });
    expect(Object.keys(answer.body).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    expect(await enterprise.introspect(answer.body['access_token'])).toMatchObject({
      active: true,
      aud: vault,
      client_id: enterprise.ours.clientId,
      scope: 'vault:read vault:write',
    });
  });

  test('gives what assertion, request and client have in common', async () => {
    const reader = await enterprise.agent({ scopes: ['vault:read'] });
    const shown = (scope: string) => enterprise.assertion(employee(), { scope });
    expect((await enterprise.show(shown('vault:read vault:write other'), { scope: 'vault:write' })).body).toMatchObject({
      scope: 'vault:write',
    });
    expect((await enterprise.show(shown('vault:read account offline_access'))).body).toMatchObject({ scope: 'vault:read' });
    const forReader = enterprise.assertion(employee(), { client_id: reader.clientId, scope: 'vault:read vault:write' });
    expect((await enterprise.show(forReader, {}, { by: reader })).body).toMatchObject({ scope: 'vault:read' });
    expect(await enterprise.show(shown('account offline_access'))).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    for (const fields of [{ scope: 'vault:write' }, { scope: 'account' }])
      expect(await enterprise.show(shown('vault:read'), fields)).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });

  test('leaves scope and resource to the platform where it names none', async () => {
    const bare = enterprise.assertion(employee(), { scope: undefined, resource: undefined });
    expect((await enterprise.show(bare)).body).toMatchObject({ scope: 'vault:read' });
  });

  test('names its audience as a text or as a list of one', async () => {
    const aud = [`http://localhost:4000/${enterprise.platform}`];
    expect(await enterprise.show(enterprise.assertion(employee(), { aud }))).toMatchObject({ status: 200 });
  });

  test('bound to a key is good with a proof of that key alone, and so is what comes of it', async () => {
    const [key, other] = [createProofKey(), createProofKey()];
    const shown = enterprise.assertion(employee(), { cnf: { jkt: key.jkt } });
    expect(await enterprise.show(shown)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await enterprise.show(shown, {}, { key: other })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const answer = await enterprise.show(shown, {}, { key });
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(await enterprise.introspect(answer.body['access_token'])).toMatchObject({ cnf: { jkt: key.jkt } });
  });

  test('is good once, by whichever of its uses the log has first', async () => {
    const person = employee();
    await enterprise.show(enterprise.assertion(person));
    const shown = enterprise.assertion(person);
    const answers = await Promise.all(Array.from({ length: 50 }, () => enterprise.show(shown)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: 'invalid_grant', error_description: expect.stringMatching(/^assertion was used before/) });
    }
  });

  test('that was refused is not used up', async () => {
    const shown = enterprise.assertion(employee());
    expect(await enterprise.show(shown, { scope: 'account' })).toMatchObject({ status: 400 });
    expect(await enterprise.show(shown)).toMatchObject({ status: 200 });
  });

  test('of one id is good once for each issuer', async () => {
    const second = `${enterprise.issuer}/second`;
    const two = await enterprise.configure('two', { trustedIssuers: [enterprise.trusted, { ...enterprise.trusted, issuer: second }] });
    const there = await enterprise.agent({ platform: two });
    const jti = randomUUID();
    const show = (iss: string) => {
      const shown = enterprise.assertion(employee(), { iss, jti, aud: `http://localhost:4000/${two}`, client_id: there.clientId });
      return enterprise.show(shown, {}, { at: two, by: there });
    };
    expect(await show(enterprise.issuer)).toMatchObject({ status: 200 });
    expect(await show(second)).toMatchObject({ status: 200 });
    expect(await show(enterprise.issuer)).toMatchObject({ status: 400 });
  });
});

test('metadata says that such assertions are taken, where some provider is trusted', async () => {
  const read = async (platform: string) =>
    (await enterprise.world.call(null, 'GET', `/.well-known/oauth-authorization-server/${platform}`)).body;
  expect(await read(enterprise.platform)).toMatchObject({
    grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:jwt-bearer']),
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
  });
  expect(await read('arlo')).not.toHaveProperty('authorization_grant_profiles_supported');
});

test('neither assertion nor token nor what it says of the person is in any event in the clear', async () => {
  const person = employee();
  const shown = enterprise.assertion(person, { name: 'Ada Example' });
  const { body } = await enterprise.show(shown);
  const recorded = await enterprise.world.everything();
  for (const secret of [shown, String(body['access_token']), person.email, person.sub, 'Ada Example'])
    expect(recorded).not.toContain(secret);
});
