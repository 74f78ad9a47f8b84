import { createFormBrowser, decideAs } from '@grantlog/cli';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pkce, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createOAuthMemory, mcpClients } from '../support/mcp-clients.ts';
import { openTrustedSite, type TrustedSite } from '../support/trusted-site.ts';
import { createVisitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

const platform = 'arlo-health';
const redirectUri = 'http://127.0.0.1:53682/callback';

let site: TrustedSite;
let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;
let issuer: string;
let clientId: string;

beforeAll(async () => {
  site = await openTrustedSite();
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0, settings: site.settings });
  bench = openWorkbench(deployment);
  account = await bench.account(platform, { displayName: 'Ada Person' });
  issuer = `${deployment.publicUrl}/${platform}`;
  clientId = site.describe('/agent/client.json', {
    client_name: 'Agent of a test',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
  await site.close();
});

const [, , negotiating] = mcpClients;

/** One installation: its own memory, and the same document as every other. */
const install = async () => {
  const memory = createOAuthMemory({ redirectUri, metadataUrl: clientId });
  const agent = await negotiating.connect({ url: `${issuer}/mcp`, memory });
  const refusal = await agent.call('check_account_status').catch((error: unknown) => error);
  expect(agent.isUnauthorized(refusal)).toBe(true);
  const [sentTo] = memory.sentTo;
  expect(sentTo?.searchParams.get('client_id')).toBe(clientId);
  const browser = createFormBrowser({ origin: deployment.publicUrl });
  await agent.finishAuth(await decideAs(browser, sentTo?.href ?? '', { ...account, decision: 'allow' }));
  return { memory, agent };
};

test('a client is registered once by fifty decisions on two processes', async () => {
  const crowded = site.describe('/crowd.json', { client_name: 'Crowd', redirect_uris: ['https://crowd.example/cb'] });
  const visitor = createVisitor(new URL(deployment.publicUrl).origin);
  const at = (n: number, path: string): string => `${deployment.apis[n % 2]?.url}/${platform}${path}`;
  const open = (n: number) => {
    const { challenge } = pkce();
    const asked = { response_type: 'code', client_id: crowded, redirect_uri: 'https://crowd.example/cb', code_challenge: challenge };
    return visitor.open(at(n, `/oauth/authorize?${new URLSearchParams({ ...asked, code_challenge_method: 'S256' })}`));
  };
  const form = await open(0);
  await visitor.post(at(0, '/sign-in'), { ...form.hidden, email: account.email, password: account.password });
  const pages = await Promise.all(Array.from({ length: 50 }, (_, n) => open(n)));
  const before = await readHead(bench.context.pool, platform as PlatformId);
  const decided = await Promise.all(pages.map((page, n) => visitor.post(at(n, '/consent'), { ...page.hidden, decision: 'allow' })));
  expect(decided.map(({ location }) => location?.searchParams.has('code'))).toEqual(pages.map(() => true));
  const events = await readEventsAfter(bench.context.pool, { platform: platform as PlatformId, after: before, limit: 500 });
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  expect([count('client.registered'), count('client.updated'), count('grant.authorized')]).toEqual([1, 0, 50]);
  // Once for each process.
  expect(site.asked.filter((path) => path === '/crowd.json')).toHaveLength(2);
});

test('an MCP client that has only a document connects, stays connected, and is another installation each time', async () => {
  const [one, two] = [await install(), await install()];
  for (const { agent } of [one, two]) {
    expect((await agent.call('check_account_status')).structuredContent).toMatchObject({ authenticated: true });
  }
  expect(one.memory.clientInformation()).toMatchObject({ client_id: clientId });
  expect(site.asked.filter((path) => path === '/agent/client.json')).toHaveLength(1);

  // Revoking one installation's grant is nothing to the other.
  const ended = await post(`${issuer}/oauth/revoke`, { token: one.memory.tokens()?.refresh_token ?? '', client_id: clientId });
  expect(ended.status).toBe(200);
  expect((await two.agent.call('check_account_status')).structuredContent).toMatchObject({ authenticated: true });

  // The site may be gone, and a process that has never seen it may be asked: what a person allowed stands in the log.
  await site.goDown();
  const [, second] = deployment.apis;
  const refreshed = await post(`${second?.url}/${platform}/oauth/token`, {
    grant_type: 'refresh_token',
    refresh_token: two.memory.tokens()?.refresh_token ?? '',
    client_id: clientId,
  });
  expect(refreshed.status).toBe(200);
  const page = await fetch(
    `${second?.url}/${platform}/oauth/authorize?${new URLSearchParams({ client_id: clientId, redirect_uri: redirectUri })}`,
  );
  expect([page.status, await page.text()]).toEqual([400, expect.stringContaining('The server could not be reached')]);
  for (const { agent } of [one, two]) await agent.close();
});
