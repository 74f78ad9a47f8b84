import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { TestClient } from '../../support/workbench.ts';
import { type Arlo, answerOf, type Change, callback, documentedState, expectRefusal, resourcePath, startArlo } from './support/arlo.ts';

let arlo: Arlo;
let server: TestClient;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
  server = await arlo.bench.client('arlo', { grantTypes: arlo.grantTypes, serves: [`${arlo.issuer}${resourcePath}`] });
});
afterAll(() => arlo.stop());

const expectError = async (change: Change, error: string, words: RegExp): Promise<void> => {
  const refused = await arlo.request(change);
  expect(refused.status).toBe(303);
  expect(refused.location?.href.startsWith(callback)).toBe(true);
  expect(answerOf(refused)).toEqual({ error, error_description: expect.stringMatching(words), iss: arlo.issuer, state: documentedState });
};

describe('the scope of a request', () => {
  test.each([null, '', ' '])('%j is a missing parameter, and the error names it', async (scope) =>
    expectError({ scope }, 'invalid_request', /^scope is required/),
  );

  test.each([
    ['commas', 'openid,profile,read', /by spaces, not by commas/],
    ['a comma and a space', 'openid, profile', /by spaces, not by commas/],
    ['a capital letter', 'openid profile Read', /lower case: write read/],
    ['capitals', 'OPENID PROFILE', /lower case: write openid/],
    ['no openid', 'profile read', /has to name the scope openid/],
    ['no profile', 'openid read', /has to name the scope profile/],
    ['an unknown scope', 'openid profile contacts', /scope contacts cannot be granted/],
    ['a tab between scopes', 'openid\tprofile', /characters that are not allowed/],
    ['a quote', 'openid profile "', /characters that are not allowed/],
  ])('with %s is invalid_scope, and the error says what to do', async (_what, scope, words) =>
    expectError({ scope }, 'invalid_scope', words),
  );

  test('may be encoded with + or %20 between the scopes', async () => {
    for (const space of ['+', '%20']) {
      const url = `${arlo.authorizeUrl({ scope: null })}&scope=openid${space}profile${space}read`;
      expect((await arlo.consentPageOf(arlo.newVisitor(), url)).text).toContain('Read your platform');
    }
  });

  test('is granted as it was asked for, each scope by itself', async () => {
    for (const scope of ['openid profile', 'openid profile read', 'openid profile write', 'openid profile all_claims']) {
      const answer = await arlo.redeem(await arlo.code({ scope }));
      expect(answer.body['scope']).toBe(scope);
      expect((await arlo.introspect(String(answer.body['access_token']))).body['scope']).toBe(scope);
    }
  });
});

describe('offline_access', () => {
  test('is what makes a refresh token: without it there is none', async () => {
    const without = await arlo.redeem(await arlo.code({ scope: 'openid profile read' }));
    expect(without.status).toBe(200);
    expect(Object.keys(without.body).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'scope', 'token_type']);
    const tokens = await arlo.connect({ scope: 'openid profile offline_access' });
    expect(tokens.refresh_token).toMatch(/^arlo_/);
    expect((await arlo.refresh(tokens.refresh_token)).body['refresh_token']).toMatch(/^arlo_/);
  });

  test('is shown to the person only where it is asked for', async () => {
    for (const [scope, isShown] of [
      ['openid profile read', false],
      ['openid profile offline_access read', true],
    ] as const) {
      const visitor = arlo.newVisitor();
      const consent = await arlo.consentPageOf(visitor, arlo.authorizeUrl({ scope }));
      // As the sign-in leads to it, and as a browser sees it that is signed in already.
      for (const { text } of [consent, await visitor.open(arlo.authorizeUrl({ scope, prompt: 'consent' }))])
        expect([
          text.includes('Stay connected while you are away'),
          text.includes('Until you end it, also while you are away'),
          text.includes('it then has to ask you again'),
        ]).toEqual([isShown, isShown, !isShown]);
    }
  });
});

describe('a wider scope', () => {
  test('is not had by refreshing, but by asking the person again', async () => {
    const first = await arlo.connect({ scope: 'openid profile offline_access read' });
    const wider = 'openid profile offline_access read write';
    expectRefusal(await arlo.refresh(first.refresh_token, { scope: wider }), 400, 'invalid_scope', /exceeds what was granted/);
    const visitor = arlo.newVisitor();
    const consent = await arlo.consentPageOf(visitor, arlo.authorizeUrl({ scope: 'openid profile offline_access read' }));
    await visitor.post(arlo.at('/consent'), { ...consent.hidden, decision: 'allow' });
    // The same browser, signed in, whose person has allowed less before.
    const again = await visitor.open(arlo.authorizeUrl({ scope: wider }));
    expect(again.text).toContain('name="decision"');
    expect(again.text).toContain('Change your platform');
    const { location } = await visitor.post(arlo.at('/consent'), { ...again.hidden, decision: 'allow' });
    expect((await arlo.redeem(location?.searchParams.get('code') ?? '')).body['scope']).toBe(wider);
    expect((await arlo.refresh(first.refresh_token)).body['scope']).toBe('openid profile offline_access read');
  });
});

describe('what a resource server learns of the scopes', () => {
  const learned = async (scope: string, as: TestClient): Promise<unknown> => {
    const tokens = await arlo.connect({ scope: `openid profile ${scope}` });
    return (await arlo.introspect(tokens.access_token, as)).body['scope'];
  };

  test('is that all_claims satisfies read and write, for a server of the resource', async () => {
    expect(await learned('all_claims', server)).toBe('openid profile all_claims read write');
  });

  test('is only what was granted, where nothing is implied', async () => {
    expect(await learned('read', server)).toBe('openid profile read');
    expect(await learned('write', server)).toBe('openid profile write');
  });

  test('is not told to the client itself, which asked for less', async () => {
    expect(await learned('all_claims', arlo.client)).toBe('openid profile all_claims');
  });

  test('comes with the roles that the person has now, for a server of the resource alone', async () => {
    const { account } = arlo.deployment.demo.platforms['arlo'] ?? { account: { email: '', password: '' } };
    const visitor = arlo.newVisitor();
    const page = await visitor.open(arlo.authorizeUrl());
    const consent = await visitor.post(arlo.at('/sign-in'), { ...page.hidden, ...account });
    const { location } = await visitor.post(arlo.at('/consent'), { ...consent.hidden, decision: 'allow' });
    const { body } = await arlo.redeem(location?.searchParams.get('code') ?? '');
    const token = String(body['access_token']);
    expect((await arlo.introspect(token, server)).body['roles']).toEqual(['administrator', 'api_user']);
    expect((await arlo.introspect(token)).body).not.toHaveProperty('roles');
    expect((await arlo.validate(token)).body).not.toHaveProperty('roles');
  });
});

describe('the resources that the server is itself', () => {
  test('are asked for by name, and a token for one is not for the API', async () => {
    for (const [name, title] of [
      ['account', 'Your security settings'],
      ['developer', 'Your registered apps'],
    ] as const) {
      const resource = `${arlo.issuer}/${name}`;
      const change = { scope: `openid profile offline_access ${name}`, resource };
      const consent = await arlo.consentPageOf(arlo.newVisitor(), arlo.authorizeUrl(change));
      expect(consent.text).toContain(title);
      const tokens = await arlo.connect(change);
      expect(tokens.access_token).toMatch(/^arlo_/);
      expect((await arlo.introspect(tokens.access_token)).body['aud']).toBe(resource);
      expect((await arlo.introspect(tokens.access_token, server)).body).toEqual({ active: false });
      const again = await arlo.refresh(tokens.refresh_token, { resource });
      expect((await arlo.introspect(String(again.body['access_token']))).body['aud']).toBe(resource);
    }
  });

  test('are never meant by a request that names no resource', async () => {
    const tokens = await arlo.connect({ scope: 'openid profile account developer read' });
    expect((await arlo.introspect(tokens.access_token)).body['aud']).toBe(`${arlo.issuer}${resourcePath}`);
  });

  test('are not on a platform that has not their scopes', async () => {
    await arlo.bench.configure('plain');
    const { client_id: id, redirect_uri: redirect } = await arlo.bench.client('plain');
    const query = { client_id: id, redirect_uri: redirect, resource: `${arlo.deployment.publicUrl}/plain/account`, scope: 'read' };
    const url = arlo.authorizeUrl({ ...query, code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' }).replace('/arlo/', '/plain/');
    expect(answerOf(await arlo.newVisitor().open(url))['error']).toBe('invalid_target');
  });
});
