import { createPool, type Pool } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, post } from '../../support/agent.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { enrol } from '../../support/second-factor.ts';
import { createVisitor } from '../../support/visitor.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../../support/workbench.ts';

// arlo-http-requests.txt: HTTP Basic is for exploring, long-running use is restricted, and an account with MFA has two ways out.

let deployment: Deployment;
let workbench: Workbench;
let pool: Pool;
let server: TestClient;
let resource: string;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  workbench = openWorkbench(deployment);
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_api', max: 2 });
  resource = `${deployment.publicUrl}/arlo/api/2012-02-01/auth/resources`;
  server = await workbench.client('arlo', { grantTypes: ['client_credentials'], redirectUris: [], serves: [resource] });
});
afterAll(async () => {
  await pool.end();
  await workbench.close();
  await deployment.stop();
});

const ask = (who: Pick<TestAccount, 'email' | 'password'>, node = 0, address = '203.0.113.1') =>
  post(
    `${deployment.apis[node % 2]?.url}/arlo/oauth/basicvalidation`,
    { username: who.email, password: who.password, resource, client_address: address },
    { authorization: basic(server) },
  );

test('an account explores for thirty days with a thousand requests a day, and is told so with every answer', async () => {
  const { body } = await ask(await workbench.account('arlo'));
  const { sunset, ...notice } = body['notice'] as { readonly sunset: number };
  expect(notice).toMatchObject({ limit: 1_000, remaining: 999, documentation: expect.stringContaining('developer.arlo.co') });
  expect(Math.abs(sunset - (Date.now() / 1_000 + 30 * 86_400))).toBeLessThan(60);
});

test('of fifty requests at once over two processes exactly the rest of the day is let through', async () => {
  const person = await workbench.account('arlo');
  await ask(person);
  await pool.query('update basic_use set requests = 993 where account = $1', [person.id]);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, nth) => ask(person, nth, `198.51.100.${nth + 1}`)));
  const [passed, refused] = [answers.filter(({ body }) => body['active'] === true), answers.filter(({ body }) => body['active'] === false)];
  expect(passed).toHaveLength(7);
  expect(refused.map(({ body }) => body['reason'])).toEqual(Array.from({ length: 43 }, () => 'daily_limit_reached'));
  expect(refused[0]?.body).toMatchObject({ description: expect.stringContaining('OAuth 2'), documentation: expect.any(String) });
});

test('thirty days after its first request an account is led to OAuth by every process', async () => {
  const person = await workbench.account('arlo');
  await ask(person);
  await pool.query(`update basic_use set first_used_at = first_used_at - interval '30 days' where account = $1`, [person.id]);
  for (const node of [0, 1]) {
    expect((await ask(person, node)).body).toMatchObject({
      active: false,
      reason: 'exploration_ended',
      description: expect.stringContaining('OAuth 2'),
      documentation: expect.stringContaining('developer.arlo.co'),
    });
  }
});

test('an account with a second factor is refused until its owner has switched it off', async () => {
  const person = await workbench.account('arlo');
  const { recoveryCodes } = await enrol(workbench, 'arlo', person);
  expect((await ask(person)).body).toMatchObject({
    active: false,
    reason: 'second_factor_enabled',
    description: expect.stringContaining(`${deployment.publicUrl}/arlo/security`),
  });
  const visitor = createVisitor(new URL(deployment.publicUrl).origin);
  const at = (path: string): string => `${deployment.publicUrl}/arlo${path}`;
  const signIn = await visitor.open(at('/security'));
  const code = await visitor.post(at('/sign-in'), { ...signIn.hidden, email: person.email, password: person.password });
  await visitor.post(at('/sign-in/code'), { ...code.hidden, code: recoveryCodes[0] ?? '' });
  const page = await visitor.open(at('/security'));
  await visitor.post(at('/security/totp/remove'), { ...page.hidden, password: person.password, code: recoveryCodes[1] ?? '' });
  for (const node of [0, 1]) expect((await ask(person, node)).body).toMatchObject({ active: true, sub: person.id });
});

describe('an administrator', () => {
  const make = (who: Pick<TestAccount, 'email' | 'password'>, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${deployment.apis[0]?.url}/arlo/account/integration-accounts`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${who.email}:${who.password}`)}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify({ name: 'Nightly export', roles: ['administrator', 'api_user'], password: who.password }),
    });

  test('makes an integration account, which takes HTTP Basic at every process', async () => {
    const { account } = deployment.demo.platforms['arlo'] ?? {};
    if (account === undefined) throw new Error('the demo has no account on arlo');
    const made = await make(account);
    expect(made.status).toBe(201);
    const { accountId, username, password } = (await made.json()) as { accountId: string; username: string; password: string };
    for (const node of [0, 1]) {
      expect((await ask({ email: username, password }, node)).body).toMatchObject({
        active: true,
        sub: accountId,
        account_kind: 'integration',
        roles: ['administrator', 'api_user'],
      });
    }
  });

  test('is who may; an account without the role is told that it lacks it', async () => {
    const refused = await make(await workbench.account('arlo'));
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'role_required', role: 'administrator' });
  });
});
