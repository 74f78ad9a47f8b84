import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Agent, createAgent, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench } from '../support/workbench.ts';

/** On a platform with one resource every token that names none is for that one; this server is asked for by its issuer. */
const platform = 'one-resource';
let deployment: Deployment;
let agent: Agent;
let issuer: string;
beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  const [client, account] = [await bench.client(platform), await bench.account(platform)];
  await bench.close();
  issuer = `${deployment.publicUrl}/${platform}`;
  agent = createAgent({ name: platform, scope: 'openid offline_access read', demo: { issuer, client, account } as never });
});
afterAll(() => deployment.stop());

const reads = async (token: string): Promise<{ readonly status: number; readonly text: string }> => {
  const [api = { url: '' }] = deployment.apis;
  const response = await fetch(agent.at(api, '/events?after=latest'), { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, text: await response.text() };
};

test('the token of a person reads its events where it was asked for the issuer, and no other does', async () => {
  const [api = { url: '' }] = deployment.apis;
  const { body: unnamed } = await agent.redeem(api, await agent.code(api));
  expect(await reads(String(unnamed['access_token']))).toMatchObject({ status: 401, text: expect.stringContaining(`resource=${issuer}`) });

  const things = `${issuer}/api`;
  const authorized = await agent.code(api, { resource: issuer });
  const { body: named } = await agent.redeem(api, authorized, { resource: issuer });
  expect(await reads(String(named['access_token']))).toMatchObject({ status: 200 });
  const { body: introspected } = await agent.introspect(api, String(named['access_token']));
  expect(introspected).toMatchObject({ active: true, aud: issuer });
  // It opens nothing else, and what was not allowed cannot be had by it.
  const { status, body } = await post(
    agent.at(api, '/oauth/token'),
    { grant_type: 'refresh_token', refresh_token: String(named['refresh_token']), resource: things },
    { authorization: agent.authorization },
  );
  expect([status, body]).toMatchObject([400, { error: 'invalid_target' }]);
});
