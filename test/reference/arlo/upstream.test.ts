import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { openWorkbench, type Workbench } from '../../support/workbench.ts';

let deployment: Deployment;
let bench: Workbench;
let events: URL;
beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, examples: true });
  bench = openWorkbench(deployment);
  events = new URL(`${deployment.demo.platforms['arlo']?.resource}/events/`);
});
afterAll(async () => {
  await bench?.close();
  await deployment?.stop();
});

/** As curl asks: the path as it is written, and every header of the answer. */
const curl = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
  const { port } = new URL(deployment.publicUrl);
  const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const text = (await response.setEncoding('utf8').toArray()).join('');
  const challenges = response.headersDistinct['www-authenticate'] ?? [];
  return { status: response.statusCode, headers: response.headers, challenges, text };
};
const basic = (who: { readonly email: string; readonly password: string } | undefined): string =>
  `Basic ${btoa(`${who?.email}:${who?.password}`)}`;

describe("Arlo's API under the server's own origin", () => {
  test('lies where its documents say', () => {
    expect(events.href).toBe(`${deployment.publicUrl}/arlo/api/2012-02-01/auth/resources/events/`);
  });

  test('asks whoever shows nothing for a Bearer token first and for Basic second, with no error code', async () => {
    const { status, challenges } = await curl(events.pathname);
    expect(status).toBe(401);
    expect(challenges.map((challenge) => challenge.split(' ', 1)[0])).toEqual(['Bearer', 'Basic']);
    for (const challenge of challenges) expect(challenge).toMatch(/realm="arlo"/);
    expect(challenges.join()).not.toMatch(/error/);
  });

  test('takes no cookie for a credential, and gives none', async () => {
    const { email = '', password = '' } = deployment.demo.platforms['arlo']?.account ?? {};
    const { status, headers } = await curl(events.pathname, { cookie: `grantlog-arlo-sign-in=x; authorization=${email}:${password}` });
    expect([status, headers['set-cookie']]).toEqual([401, undefined]);
    const everything = await deployment.allLogs();
    for (const secret of [password, 'grantlog-arlo-sign-in=x']) expect(everything).not.toContain(secret);
  });

  test('shows its events to the account of the demonstration as XML or JSON, where neither can run on our origin', async () => {
    const authorization = basic(deployment.demo.platforms['arlo']?.account);
    for (const [accept, begins] of [
      ['application/xml', '<'],
      ['application/json', '{'],
    ] as const) {
      const { status, headers, text } = await curl(events.pathname, { authorization, accept });
      expect([status, headers['content-type']?.split(';')[0], text.trimStart()[0]], text).toEqual([200, accept, begins]);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none'/),
      });
    }
  });

  test('has a presenter who is let in, and no path out of it', async () => {
    const authorization = basic(deployment.demo.platforms['arlo']?.presenter);
    expect(await curl(events.pathname, { authorization, accept: 'application/json' })).toMatchObject({ status: 200 });
    expect(await curl(`${events.pathname}%2e%2e/%2e%2e/readyz`, { authorization })).toMatchObject({ status: 400 });
    expect(await curl('/along/api/2012-02-01/auth/resources/events/', { authorization })).toMatchObject({ status: 404 });
  });

  test('is reached in host form, where a platform of this kind has a host', async () => {
    const upstream = deployment.examples?.url ?? '';
    await bench.configure('hosted', {
      issuer: 'https://hosted.example',
      hosts: ['hosted.example'],
      resources: [{ uri: 'https://hosted.example/api', name: 'Things', scopes: ['read'], upstream: `${upstream}/arlo` }],
    });
    // Another process hears of a host within five seconds.
    await expect.poll(async () => (await curl('/api/events/', { host: 'hosted.example' })).status, { timeout: 10_000 }).toBe(401);
    expect((await curl('/api/events/', { host: 'hosted.example' })).challenges).toHaveLength(2);
    expect(await curl('/hosted/api/events/')).toMatchObject({ status: 404 });
  });

  test('is told apart from the server when it is gone', async () => {
    await deployment.examples?.stop();
    const { status, text } = await curl(`${events.pathname}?access_token=canary-in-query`, { authorization: 'Bearer canary-in-header' });
    expect([status, JSON.parse(text)]).toEqual([
      502,
      { error: 'temporarily_unavailable', error_description: expect.stringMatching(/^The resource behind this path does not answer/) },
    ]);
    expect(await deployment.allLogs()).not.toContain('canary-in');
  });
});
