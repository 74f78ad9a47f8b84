import { changeClient, revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type App, answerOf, asks, by, claimsOf, openPeopleWorld, type PeopleWorld } from './support/people.ts';

let world: PeopleWorld;
let app: App;

beforeAll(async () => {
  world = await openPeopleWorld(inject('databaseUrl'));
  app = await world.client();
});
afterAll(() => world.close());

const asking = (claims: object): { readonly claims: string } => ({ claims: JSON.stringify(claims) });
const everything = asking({
  id_token: { email: { essential: true }, name: null },
  userinfo: { email: null, email_verified: null, phone: null },
});
/** What a page says that the app may do. */
const offered = (text: string): readonly string[] => [...text.matchAll(/<li>([^<]*)<\/li>/g)].map(([, words = '']) => words);
const pageOf = async (change: Record<string, string>, of: App = app) => {
  const browser = world.createBrowser();
  return browser.signIn(await browser.visit(of, change), await world.person());
};

describe('claims that are asked for one by one', () => {
  test('are told where they were asked for, and the person has read which', async () => {
    const who = await world.person(world.memo, { emailVerified: true });
    expect(offered((await pageOf(everything)).text)).toEqual([
      ...['Know which account is yours', 'Read your things', 'Know your name', 'Know your email address'],
      'Know whether your email address has been confirmed',
    ]);
    const { code } = await world.allowedIn(app, who, everything);
    const { body } = await world.redeem(app, code);
    expect(claimsOf(body['id_token'])).toMatchObject({ sub: who.id, email: who.email, name: 'Ada Person' });
    expect(claimsOf(body['id_token'])).not.toHaveProperty('email_verified');
    expect(await world.userinfo(body['access_token'])).toEqual({ sub: who.id, email: who.email, email_verified: true });
  });

  test('say no more than their scopes do on the page, where those are asked for as well', async () => {
    const page = await pageOf({ ...everything, scope: 'openid email profile' });
    expect(offered(page.text)).toEqual(['Know which account is yours', 'See your name', 'See your email address']);
  });

  test('are in the ID token of no request that did not name them there', async () => {
    const { code } = await world.allowedIn(app, await world.person(), { scope: 'openid email profile' });
    const { body } = await world.redeem(app, code);
    for (const claim of ['email', 'name']) expect(claimsOf(body['id_token'])).not.toHaveProperty(claim);
    expect(await world.userinfo(body['access_token'])).toMatchObject({ name: 'Ada Person', email_verified: false });
  });

  test('give a client nothing whose scope it may not have, then or later', async () => {
    const limited = await world.client({ scopes: ['openid', 'read'] });
    expect(offered((await pageOf(everything, limited)).text)).toEqual(['Know which account is yours', 'Read your things']);
    const { code } = await world.allowedIn(limited, await world.person(), everything);
    expect(claimsOf((await world.redeem(limited, code)).body['id_token'])).not.toHaveProperty('email');

    const losing = await world.client();
    const allowed = await world.allowedIn(losing, await world.person(), everything);
    const before = (await world.redeem(losing, allowed.code)).body;
    expect(await world.userinfo(before['access_token'])).toHaveProperty('email');
    const update = { type: 'update', changes: { scopes: ['openid', 'read'] } } as const;
    await changeClient(world.deps.provisioning, by, { platform: world.memo, clientId: losing.clientId, command: update });
    expect(await world.userinfo(before['access_token'])).not.toHaveProperty('email');
    const again = await world.allowedIn(losing, await world.person(), everything);
    expect(claimsOf((await world.redeem(losing, again.code)).body['id_token'])).not.toHaveProperty('email');
  });

  test('are left out of a request that is none of OpenID Connect', async () => {
    expect(offered((await pageOf({ ...everything, scope: 'read' })).text)).toEqual(['Read your things']);
    expect(asks(await pageOf({ claims: '{', scope: 'read' }))).toBe(true);
  });

  test('are part of what is remembered', async () => {
    const who = await world.person();
    const { browser } = await world.allowedIn(app, who, everything);
    const { code } = answerOf(await browser.visit(app, { ...everything, prompt: 'none' }));
    const { body } = await world.redeem(app, code);
    expect(claimsOf(body['id_token'])).toMatchObject({ email: who.email });
    const fewer = asking({ id_token: { email: null } });
    expect(answerOf(await browser.visit(app, { ...fewer, prompt: 'none' }))).toMatchObject({ error: 'consent_required' });
  });

  test('are forgotten with their grant as everything else', async () => {
    const { result, events } = await world.during(async () => world.allowedIn(app, await world.person(), everything));
    const grant = events.find(({ type }) => type === 'grant.authorized')?.streamId as never;
    await revokeGrant(world.deps.provisioning, by, { platform: world.memo, grant });
    expect(asks(await result.browser.visit(app, everything))).toBe(true);
  });

  test('are no reason to refuse anybody, unless a way of signing in has to have been that nobody can use', async () => {
    const acr = { values: ['urn:gold'] };
    expect(asks(await pageOf(asking({ id_token: { acr, phone_number: { essential: true } } })))).toBe(true);
    const browser = world.createBrowser();
    const refused = await browser.visit(app, asking({ id_token: { acr: { ...acr, essential: true } } }));
    expect(answerOf(refused)).toMatchObject({ error: 'unmet_authentication_requirements', state: 'state-1' });
    expect(answerOf(await browser.visit(app, { claims: '[1]' }))).toMatchObject({ error: 'invalid_request' });
    const twoSubjects = asking({ id_token: { sub: { values: ['a', 'b'] } } });
    expect(answerOf(await browser.visit(app, twoSubjects))).toMatchObject({ error: 'invalid_request' });
  });
});

describe('the metadata', () => {
  const metadata = async (platform: string, name: string) => {
    const response = await world.app.inject(`/.well-known/${name}/${platform}`);
    return { status: response.statusCode, body: response.json() as Record<string, unknown> };
  };

  test('says that claims may be asked for, and which its scopes open', async () => {
    const { body } = await metadata('memo', 'openid-configuration');
    expect(body).toMatchObject({
      claims_parameter_supported: true,
      prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    });
    expect(body['claims_supported']).toEqual(expect.arrayContaining(['sub', 'sid', 'auth_time', 'name', 'email', 'email_verified']));
    await world.configure('nameless', { scopes: [{ name: 'openid', description: 'Know which account is yours' }], resources: [] });
    expect((await metadata('nameless', 'openid-configuration')).body['claims_supported']).not.toContain('name');
  });

  test('of a platform without openid is that of an authorization server alone', async () => {
    expect(await metadata('along', 'openid-configuration')).toMatchObject({ status: 404, body: { error: 'not_found' } });
    const { status, body } = await metadata('along', 'oauth-authorization-server');
    expect(status).toBe(200);
    for (const extra of ['userinfo_endpoint', 'id_token_signing_alg_values_supported', 'subject_types_supported', 'claims_supported'])
      expect(body).not.toHaveProperty(extra);
  });
});
