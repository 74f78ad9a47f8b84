import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createFormBrowser, type DemoPlatform, decideAs } from '@grantlog/cli';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, post, type Tokens } from '../../support/agent.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { openWorkbench, type Workbench } from '../../support/workbench.ts';
import { expiredTokenOf } from './support/expired-token.ts';

/** Step 4 of the documents: tokens of the flow at the API itself, which stands behind the server as a process of its own. */
let deployment: Deployment;
let bench: Workbench;
let demo: DemoPlatform;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, examples: true });
  bench = openWorkbench(deployment);
  const found = deployment.demo.platforms['arlo'];
  if (found === undefined) throw new Error('the demo has no arlo');
  demo = found;
});
afterAll(async () => {
  await bench?.close();
  await deployment?.stop();
});

const run = promisify(execFile);
const whole = 'openid profile offline_access read all_claims';

/** The tokens of a person who allows `scope`. */
const tokensFor = async (scope: string, person: { readonly email: string; readonly password: string } = demo.account): Promise<Tokens> => {
  const { client_id, redirect_uri } = demo.client;
  const query = new URLSearchParams({ response_type: 'code', client_id, redirect_uri, scope, state: 'mebnpJ49AnMwDv' });
  const callback = await decideAs(createFormBrowser(), `${demo.issuer}/oauth/connect/authorize?${query}`, { ...person, decision: 'allow' });
  const { status, body } = await post(
    `${demo.issuer}/oauth/connect/token`,
    { grant_type: 'authorization_code', code: callback.searchParams.get('code') ?? '', redirect_uri },
    { authorization: basic(demo.client) },
  );
  expect(status).toBe(200);
  return body as unknown as Tokens; // every token response has an access token
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ask = async (path: string, headers: Readonly<Record<string, string>>, contact?: object) => {
  const response = await fetch(`${demo.resource}${path}`, {
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    ...(contact === undefined ? {} : { method: 'PUT', body: JSON.stringify(contact) }),
  });
  const text = await response.text();
  return { status: response.status, challenge: response.headers.get('www-authenticate'), text };
};

/** Runs `curl` as a developer would paste it. */
const curl = async (...rest: readonly string[]) => {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--include', ...rest]);
  const [head = '', ...body] = stdout.replaceAll('\r\n', '\n').split('\n\n');
  return { status: Number(/^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1]), head, body: body.join('\n\n') };
};
const encodings = ['-H', 'Accept-Encoding: gzip, deflate', '--compressed'];

describe('a token of the flow', () => {
  test('gets the contact of the documents by their own request', async () => {
    const { access_token: token } = await tokensFor(whole);
    const headers = ['-H', 'Accept: application/xml', ...encodings, '-H', `Authorization: Bearer ${token}`];
    const { status, head, body } = await curl(...headers, `${demo.resource}/contacts/562/`);
    expect([status, body]).toEqual([200, expect.stringContaining('<Contact><ContactId>562</ContactId>')]);
    expect(head).toMatch(/^content-type: application\/xml; charset=utf-8$/im);
  });

  test('is good for one request after another, and at once for none when it is revoked', async () => {
    const { access_token: token } = await tokensFor(whole);
    for (const path of ['/events/', '/events', '/contacts/', '/contacts/562/'])
      expect([path, (await ask(path, bearer(token))).status]).toEqual([path, 200]);
    const revoked = await post(`${demo.issuer}/oauth/connect/revocation`, { token }, { authorization: basic(demo.client) });
    expect(revoked.status).toBe(200);
    expect(await ask('/events/', bearer(token))).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('error="invalid_token"'),
    });
  });

  test.each([
    ['neither scope', 'openid profile', 403, 403],
    ['read', 'openid profile read', 200, 403],
    ['write', 'openid profile write', 403, 200],
    ['all_claims, which is enough for both', 'openid profile all_claims', 200, 200],
  ])('reads and changes by its scopes: %s', async (_, scope, reading, changing) => {
    const { access_token: token } = await tokensFor(scope);
    const read = await ask('/contacts/771/', bearer(token));
    const changed = await ask('/contacts/771/', bearer(token), { firstName: 'Aroha', lastName: 'Ngata', email: 'aroha@example.org' });
    expect([read.status, changed.status]).toEqual([reading, changing]);
    for (const [answer, needed] of [
      [read, 'read'],
      [changed, 'write'],
    ] as const)
      if (answer.status === 403)
        expect(answer.challenge).toMatch(
          new RegExp(`^Bearer realm="arlo", error="insufficient_scope", .*scope="${needed}".* scopes="${needed}"$`),
        );
  });

  test('that is wrong is refused by the documented request with the Bearer challenge and the documented error_message', async () => {
    const headers = ['-H', 'Accept: application/json', ...encodings, '-H', 'Authorization: Bearer my_invalid_token'];
    const { status, head } = await curl(...headers, `${demo.resource}/events/`);
    expect(status).toBe(401);
    const challenges = [...head.matchAll(/^www-authenticate: (.*)$/gim)].map(([, challenge]) => challenge);
    expect(challenges).toEqual([
      expect.stringMatching(/^Bearer realm="arlo", error="invalid_token", error_description="([^"]+)", .*error_message="\1"$/),
    ]);
  });

  test('that is out of time is expired_token', async () => {
    const { access_token: token } = await tokensFor(whole);
    const { status, challenge } = await ask('/events/', bearer(await expiredTokenOf(bench, 'arlo', token)));
    expect([status, challenge]).toEqual([401, expect.stringMatching(/^Bearer realm="arlo", error="expired_token", /)]);
  });

  test('that is an ID token or a refresh token opens nothing', async () => {
    const { refresh_token: refresh, id_token: id = '' } = await tokensFor(whole);
    for (const token of [refresh, id]) expect((await ask('/events/', bearer(token))).status).toBe(401);
  });
});

describe('the roles of a person', () => {
  test('count for OAuth as for HTTP Basic', async () => {
    const nobody = await bench.account('arlo');
    const { access_token: without } = await tokensFor(whole, nobody);
    const refused = await ask('/events/', bearer(without));
    expect(refused).toMatchObject({ status: 403, challenge: null });
    expect(refused.text).toContain('api_user and administrator together');
    expect((await ask('/events/', { authorization: `Basic ${btoa(`${nobody.email}:${nobody.password}`)}` })).text).toBe(refused.text);

    const presenter = demo.presenter ?? { email: '', password: '' };
    const own = bearer((await tokensFor(whole, presenter)).access_token);
    for (const headers of [own, { authorization: `Basic ${btoa(`${presenter.email}:${presenter.password}`)}` }])
      expect([(await ask('/contacts/562/', headers)).status, (await ask('/contacts/318/', headers)).status]).toEqual([200, 403]);
  });
});

test('the address of the documents prompts a browser, without a slash at its end, and takes what the person signs in with', async () => {
  const events = `${demo.resource}/events`;
  const asked = await curl(events);
  const schemes = [...asked.head.matchAll(/^www-authenticate: (\w+)/gim)].map(([, scheme]) => scheme);
  expect([asked.status, schemes]).toEqual([401, ['Bearer', 'Basic']]);
  expect(await tokensFor('openid profile')).toHaveProperty('access_token');
  const shown = await curl('-u', `${demo.account.email}:${demo.account.password}`, events);
  expect([shown.status, shown.body]).toEqual([200, expect.stringContaining('<EventList>')]);
});
