import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post, type Tokens } from '../support/agent.ts';
import { answerOf, type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import type { Visitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** Two platforms as alike as they can be: one id and secret of their clients, one email and password, one token prefix, one resource. */
type Side = {
  readonly name: 'alpha' | 'beta';
  readonly client: TestClient;
  /** Registered here alone. */
  readonly ownClient: TestClient;
  readonly ownAccount: TestAccount;
  readonly flow: ConsentFlow;
};

const resource = 'https://shared.example/api';
const jwtResource = 'https://shared.example/jwt';

let deployment: Deployment;
let bench: Workbench;
const sides = {} as Record<'alpha' | 'beta', Side>;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  let secret: string | null = null;
  for (const name of ['alpha', 'beta'] as const) {
    await bench.configure(name, {
      scopes: ['openid', 'profile', 'email', 'offline_access', 'read', 'manage', 'audit'].map((scope) => ({
        name: scope,
        description: scope,
      })),
      resources: [
        { uri: resource, name: 'Shared', scopes: ['read'] },
        { uri: jwtResource, name: 'Shared, signed', scopes: ['read'], accessTokenFormat: 'jwt', accessTokenAlg: 'ES256' },
      ],
    });
    const client: TestClient = await bench.client(name, { clientId: 'same', serves: [resource, jwtResource], secret: secret as never });
    secret = client.client_secret;
    const account = await bench.account(name, { email: 'same@person.example', password: 'the same password' });
    const flow = createConsentFlow({ deployment, platform: name, client, account });
    sides[name] = { name, client, flow, ownClient: await bench.client(name), ownAccount: await bench.account(name) };
  }
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const connect = async (side: Side, of = resource): Promise<Tokens> => {
  const answer = await side.flow.redeem(await side.flow.code({ resource: of }));
  expect(answer.status).toBe(200);
  return answer.body as unknown as Tokens;
};
const get = (url: string, bearer?: string): Promise<Response> =>
  fetch(url, { headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` } });
const refusedWith = (answer: Answer, error: string, status = 400): void =>
  expect({ status: answer.status, error: answer.body['error'] }).toEqual({ status, error });
const cookieOf = (visitor: Visitor, side: Side, name: string): readonly [string, string] => {
  const cookie = [...visitor.cookies].find(([key]) => key.endsWith(`grantlog-${side.name}-${name}`));
  if (cookie === undefined) throw new Error(`no ${name} cookie of ${side.name}`);
  return cookie;
};

describe.each([
  ['alpha', 'beta'],
  ['beta', 'alpha'],
] as const)('what is of %s gives nothing on %s', (homeName, foreignName) => {
  const [home, foreign] = [() => sides[homeName], () => sides[foreignName]];

  test('a code: refused there, still good here', async () => {
    const code = await home().flow.code();
    refusedWith(await foreign().flow.redeem(code), 'invalid_grant');
    expect((await home().flow.redeem(code)).status).toBe(200);
  });

  test('a refresh token: refused there, and neither spent nor revoked', async () => {
    const tokens = await connect(home());
    refusedWith(await foreign().flow.refresh(tokens.refresh_token), 'invalid_grant');
    expect((await foreign().flow.introspect(tokens.refresh_token)).body).toEqual({ active: false });
    expect((await foreign().flow.revoke(tokens.refresh_token)).status).toBe(200);
    expect((await home().flow.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test.each([
    ['an opaque', resource],
    ['a signed', jwtResource],
  ])('%s access token: inactive, invalid and not revoked there', async (_, of) => {
    const { access_token: token } = await connect(home(), of);
    const there = foreign().flow;
    expect((await there.introspect(token)).body).toEqual({ active: false });
    expect((await get(there.at('/oauth/userinfo'), token)).status).toBe(401);
    expect((await get(there.at(`/oauth/connect/accesstokenvalidation?token=${token}`))).status).toBe(400);
    expect((await there.revoke(token)).status).toBe(200);
    expect((await home().flow.introspect(token)).body).toMatchObject({ active: true, aud: of, iss: `${deployment.publicUrl}/${homeName}` });
  });

  test('an access token with the scope manage: no key to the management API', async () => {
    const answer = await home().flow.redeem(await home().flow.code({ scope: 'openid manage audit' }));
    const machine = await post(
      home().flow.at('/oauth/token'),
      { grant_type: 'client_credentials', scope: 'manage audit' },
      { authorization: basic(home().client) },
    );
    for (const token of [answer.body['access_token'], machine.body['access_token']])
      for (const platform of [homeName, foreignName, 'system']) {
        const response = await get(`${deployment.apis[0]?.url}/${platform}/manage/grants`, String(token));
        expect(response.status).toBe(401);
      }
  });

  test.each(['/oauth/token', '/oauth/revoke', '/oauth/introspect'])('a client of its own: unknown at %s', async (path) => {
    const form = { grant_type: 'client_credentials', scope: 'read', token: 'nonsense' };
    const { ownClient } = home();
    expect((await post(home().flow.at(path), form, { authorization: basic(ownClient) })).status).toBe(200);
    refusedWith(await post(foreign().flow.at(path), form, { authorization: basic(ownClient) }), 'invalid_client', 401);
    // With a secret that is good for another client there, too.
    const mixed = basic({ client_id: foreign().ownClient.client_id, client_secret: ownClient.client_secret });
    refusedWith(await post(foreign().flow.at(path), form, { authorization: mixed }), 'invalid_client', 401);
  });

  test('a client of its own: unknown to the authorization endpoint', async () => {
    const visitor = foreign().flow.newVisitor();
    const page = await visitor.open(foreign().flow.authorizeUrl({ client_id: home().ownClient.client_id }));
    expect({ status: page.status, location: page.location }).toEqual({ status: 400, location: null });
  });

  test('an account: signs in nowhere else', async () => {
    const visitor = foreign().flow.newVisitor();
    const page = await foreign().flow.signIn(visitor, await visitor.open(foreign().flow.authorizeUrl()), home().ownAccount);
    expect(page.status).toBe(400);
    expect([...visitor.cookies.keys()].some((name) => name.endsWith('sign-in'))).toBe(false);
  });

  test('a sign-in: its cookie under the other name signs nobody in', async () => {
    const { visitor } = await home().flow.atConsent();
    const [name, value] = cookieOf(visitor, home(), 'sign-in');
    const thief = foreign().flow.newVisitor();
    thief.cookies.set(name.replace(homeName, foreignName), value);
    thief.cookies.set(name, value);
    expect((await thief.open(foreign().flow.authorizeUrl())).text).toContain('name="password"');
    expect(answerOf(await thief.open(foreign().flow.authorizeUrl({ prompt: 'none' })))['error']).toBe('login_required');
  });

  test('a form: neither its CSRF token nor its sealed request fits, in one and the same browser', async () => {
    const { visitor, page } = await home().flow.atConsent();
    const [name, value] = cookieOf(visitor, home(), 'browser');
    visitor.cookies.set(name.replace(homeName, foreignName), value);
    const there = await foreign().flow.signIn(visitor, await visitor.open(foreign().flow.authorizeUrl()), undefined);
    expect(there.text).toContain('name="decision"');
    expect(cookieOf(visitor, foreign(), 'browser')[1]).toBe(value);
    expect((await foreign().flow.decide(visitor, there, 'allow', { csrf: page.hidden['csrf'] ?? '' })).status).toBe(403);
    expect((await foreign().flow.decide(visitor, there, 'allow', { request: page.hidden['request'] ?? '' })).status).toBe(400);
    const atSignIn = await visitor.open(home().flow.authorizeUrl({ prompt: 'login' }));
    expect((await foreign().flow.signIn(visitor, there, undefined, { request: atSignIn.hidden['request'] ?? '' })).status).toBe(400);
  });

  test('an ID token: no hint there, and no key of one platform is among the keys of the other', async () => {
    const { id_token: idToken = '' } = await connect(home());
    const visitor = foreign().flow.newVisitor();
    expect(answerOf(await visitor.open(foreign().flow.authorizeUrl({ id_token_hint: idToken })))['error']).toBe('invalid_request');
    const keysOf = async (side: Side) =>
      ((await (await get(side.flow.at('/.well-known/jwks.json'))).json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    const [here, there] = [await keysOf(home()), await keysOf(foreign())];
    expect(here.length).toBeGreaterThan(0);
    expect(here.filter((kid) => there.includes(kid))).toEqual([]);
  });
});

describe("the operators' platform", () => {
  test('has tokens that open the management of the others, and nothing else there', async () => {
    const { client } = deployment.demo.operator;
    const url = deployment.apis[0]?.url ?? '';
    const answer = await post(
      `${url}/system/oauth/token`,
      { grant_type: 'client_credentials', scope: 'manage' },
      { authorization: basic(client) },
    );
    const token = String(answer.body['access_token']);
    expect((await get(`${url}/alpha/manage/grants`, token)).status).toBe(200);
    expect((await sides.alpha.flow.introspect(token)).body).toEqual({ active: false });
    expect((await get(`${url}/alpha/oauth/userinfo`, token)).status).toBe(401);
    expect((await get(`${url}/alpha/oauth/connect/accesstokenvalidation?token=${token}`)).status).toBe(400);
    refusedWith(
      await post(`${url}/alpha/oauth/token`, { grant_type: 'client_credentials', scope: 'read' }, { authorization: basic(client) }),
      'invalid_client',
      401,
    );
  });
});

test.each(['nowhere', 'ALPHA', 'alpha%20', 'alpha%2f..%2fbeta', '..%2fbeta', 'a'.repeat(150), '%00'])(
  'a platform "%s" is 404 JSON on every endpoint',
  async (name) => {
    const url = deployment.apis[0]?.url ?? '';
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/jwks.json',
      '/oauth/authorize',
      '/oauth/userinfo',
      '/sign-in',
      '/oauth/connect/accesstokenvalidation?token=x',
    ]) {
      const response = await get(`${url}/${name}${path}`);
      expect({ path, status: response.status, type: response.headers.get('content-type') }).toEqual({
        path,
        status: 404,
        type: 'application/json; charset=utf-8',
      });
      expect(await response.json()).toMatchObject({ error: 'not_found' });
    }
    for (const path of ['/oauth/token', '/oauth/revoke', '/oauth/introspect']) {
      const answer = await post(
        `${url}/${name}${path}`,
        { token: 'x', grant_type: 'client_credentials' },
        { authorization: basic(sides.alpha.client) },
      );
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
    }
  },
);
