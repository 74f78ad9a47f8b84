import { createPool, type Pool } from '@grantlog/postgres';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { claimsOf, createConsentFlow } from '../support/consent.ts';
import { type Deployment, type Node, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { type LogoutReceiver, startLogoutReceiver } from '../support/logout-receiver.ts';
import type { Visitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type TestClient } from '../support/workbench.ts';

/** Two apps that people sign in to, each with a receiver of its own, and people who sign out at one of them. */
const platform = 'signed-out';
const returnUri = 'https://client.example/bye';

type App = { readonly client: TestClient; readonly receiver: LogoutReceiver };

let deployment: Deployment;
let worker: Node;
let account: TestAccount;
let pool: Pool;
let one: App;
let two: App;
let issuer: string;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  worker = await deployment.startWorker();
  issuer = `${deployment.publicUrl}/${platform}`;
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  account = await bench.account(platform);
  const open = async (): Promise<App> => {
    const receiver = await startLogoutReceiver();
    const extras = { postLogoutRedirectUris: [returnUri], backchannelLogout: { uri: receiver.url, sessionRequired: true } };
    const client = await bench.client(platform, { extras });
    const jwks = async () => (await fetch(`${issuer}/.well-known/jwks.json`)).json() as Promise<{ readonly keys: [] }>;
    receiver.expect({ issuer, clientId: client.client_id, jwks });
    return { client, receiver };
  };
  [one, two] = [await open(), await open()];
  await bench.close();
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_worker', max: 2 });
});
afterAll(async () => {
  await pool.end();
  await deployment.stop();
  await Promise.all([one.receiver.close(), two.receiver.close()]);
});

type Login = { readonly idToken: string; readonly sid: string };

const flowOf = ({ client }: App) => createConsentFlow({ deployment, platform, client, account });

/** An app gets an ID token in this browser; the person proves who they are where nobody is signed in. */
const logIn = async (app: App, visitor: Visitor): Promise<Login> => {
  const flow = flowOf(app);
  let page = await visitor.open(flow.authorizeUrl());
  if (page.text.includes('name="password"')) page = await flow.signIn(visitor, page);
  // What was allowed before is not asked again.
  const { location } = page.status === 303 ? page : await flow.decide(visitor, page, 'allow');
  const { body } = await flow.redeem(location?.searchParams.get('code') ?? '');
  const { sub, sid } = claimsOf(body['id_token']);
  expect([sub, typeof sid]).toEqual([account.id, 'string']);
  return { idToken: String(body['id_token']), sid: String(sid) };
};
/** What an app does when somebody signs out of it, by openid-client. */
const logOut = async ({ client }: App, visitor: Visitor, { idToken }: Login) => {
  const config = await openid.discovery(new URL(issuer), client.client_id, client.client_secret, undefined, {
    execute: [openid.allowInsecureRequests],
  });
  const url = openid.buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: returnUri, state: 'see-you' });
  return visitor.open(url.href);
};
const heardOf = ({ receiver }: App, { sid }: Login) => receiver.heard.filter((logout) => logout.sid === sid);
const isSignedIn = async (visitor: Visitor): Promise<boolean> =>
  (await visitor.open(flowOf(one).at('/security'))).text.includes('/sign-out');
const newVisitor = (): Visitor => flowOf(one).newVisitor();

describe('somebody who signs out of one app', () => {
  test('is signed out of the platform in that browser, and every app that they used in it hears of it, none of another', async () => {
    const [here, there] = [newVisitor(), newVisitor()];
    const [first, second, elsewhere] = [await logIn(one, here), await logIn(two, here), await logIn(one, there)];
    expect([second.sid === first.sid, elsewhere.sid === first.sid]).toEqual([true, false]);

    const left = await logOut(one, here, first);
    expect([left.status, left.location?.href]).toEqual([303, `${returnUri}?state=see-you`]);
    for (const app of [one, two]) {
      const heard = await eventually('a logout token', async () => (heardOf(app, first).length > 0 ? heardOf(app, first) : null));
      expect(heard).toMatchObject([{ sub: account.id, sid: first.sid }]);
    }
    expect([await isSignedIn(here), await isSignedIn(there)]).toEqual([false, true]);
    expect(heardOf(one, elsewhere)).toEqual([]);
    expect([one.receiver.refused, two.receiver.refused]).toEqual([[], []]);
  });

  test('is signed out of everything by a new password, in every browser but the one that set it', async () => {
    const [here, there] = [newVisitor(), newVisitor()];
    const [mine, other] = [await logIn(one, here), await logIn(two, there)];
    const page = await here.open(flowOf(one).at('/security'));
    const next = crypto.randomUUID();
    await here.post(flowOf(one).at('/security/password'), {
      csrf: page.hidden['csrf'] ?? '',
      password: account.password,
      new_password: next,
      new_password_again: next,
    });
    account = { ...account, password: next };
    for (const [app, login] of [
      [one, mine],
      [two, other],
    ] as const)
      await eventually('a logout token', async () => (heardOf(app, login).length > 0 ? true : null));
    expect([await isSignedIn(here), await isSignedIn(there)]).toEqual([true, false]);
  });
});

describe('an app that cannot hear', () => {
  test('is told when it is back', async () => {
    const visitor = newVisitor();
    const login = await logIn(two, visitor);
    await two.receiver.goDown();
    await logOut(two, visitor, login);
    await eventually('a first attempt', async () => {
      const { rows } = await pool.query('select 1 from logout_notice where sign_in = $1 and last_error is not null', [login.sid]);
      return rows.length > 0 ? true : null;
    });
    await two.receiver.comeUp();
    const heard = await eventually('a logout token', async () => (heardOf(two, login).length > 0 ? heardOf(two, login) : null), 30);
    expect(heard).toHaveLength(1);
  });

  test('is told again under the same id where the worker was killed before it noted the answer', async () => {
    const visitor = newVisitor();
    const login = await logIn(two, visitor);
    two.receiver.answerWith(() => ({ status: 200, delayMs: 3_000 }));
    await logOut(two, visitor, login);
    await eventually('the first token', async () => (heardOf(two, login).length > 0 ? true : null));
    worker.kill('SIGKILL');
    two.receiver.answerWith(() => ({ status: 200 }));
    worker = await deployment.startWorker();
    // Its claim runs out after half a minute.
    const heard = await eventually('the second token', async () => (heardOf(two, login).length > 1 ? heardOf(two, login) : null), 60);
    expect(new Set(heard.map(({ jti }) => jti)).size).toBe(1);
    await eventually('the end of it', async () => {
      const { rows } = await pool.query<{ state: string; attempts: number }>(
        'select state, attempts from logout_notice where sign_in = $1',
        [login.sid],
      );
      return rows[0]?.state === 'told' ? rows[0] : null;
    });
    expect(two.receiver.refused).toEqual([]);
  });
});

test('no log line of any process holds a logout token or an ID token', async () => {
  const logs = await deployment.allLogs();
  expect(logs).toContain('/oauth/end_session?id_token_hint=[redacted]');
  expect(logs).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/);
});
