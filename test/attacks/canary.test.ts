import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPool } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { deviceDocument } from '../support/device.ts';
import { eventually } from '../support/eventually.ts';
import { judgeWebhook } from '../support/judge-webhook.ts';
import { openTrustedSite, type TrustedSite } from '../support/trusted-site.ts';
import { openWorkbench } from '../support/workbench.ts';
import { agentSecrets, liveAsAgent, withoutWhatIsMeant } from './canary-agent-life.ts';
import { createRecord, endpointSecrets, liveAndMisuse } from './canary-life.ts';
import { liveByProof, proofDocument } from './canary-proof-life.ts';
import { dumpDatabase, findLeaks, type Haystack } from './leak-search.ts';

/** Every secret of a whole life, looked for wherever none may be. */
const platform = 'canary';

let deployment: Deployment;
let site: TrustedSite;
const { keep, canaries, refusals, ...record } = createRecord();
const webhooks: Haystack[] = [];
const ofAgent: Haystack[] = [];
/** Of an endpoint that was given a token and headers, whose receiver repeats what it is sent. */
const ofKeyed: Haystack[] = [];
/** What is not as the catalogue of event types says. */
const undescribed: string[] = [];
/** Logout tokens, as the app was meant to get them. */
const ofLogouts: string[] = [];

const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/logout') {
      ofLogouts.push(new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('logout_token') ?? '');
      // The first one is lost, so that there is a word about it.
      response.writeHead(ofLogouts.length === 1 ? 500 : 200).end();
      return;
    }
    const to = { '/agent': ofAgent, '/keyed': ofKeyed }[request.url ?? ''] ?? webhooks;
    const text = Buffer.concat(chunks).toString('utf8');
    to.push([`webhook ${to.length + 1} ${request.url}`, `${JSON.stringify(request.headers)}\n${text}`]);
    undescribed.push(...judgeWebhook(JSON.parse(text)));
    if (to === ofKeyed) {
      response.writeHead(ofKeyed.length === 1 ? 500 : 200).end(JSON.stringify(request.headers));
      return;
    }
    response.writeHead(to === webhooks && webhooks.length === 1 ? 500 : 204).end();
  });
});

/** What the agent's own webhook is told of, among others. */
const typesOfAgent = ['webhook_endpoint.verification', 'session.linked', 'session.redeemed', 'grant.revoked'];

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  site = await openTrustedSite();
  const provider = await site.publishKey();
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1, settings: site.settings });
  const bench = openWorkbench(deployment);
  const agentSignUp = { unidentifiedClient: 'unnamed', intervalSeconds: 5 };
  await bench.configure(platform, { ...deviceDocument, agentSignUp, ...proofDocument(site, deviceDocument.grantTypes) });
  const [person, signer] = [await bench.account(platform), await bench.account(platform)];
  keep('the secret of the server', deployment.secret);
  const { port } = receiver.address() as AddressInfo;
  await liveAndMisuse({ deployment, platform, hook: `http://127.0.0.1:${port}/hook`, record: { keep, ...record } });
  await liveAsAgent({ deployment, platform, hook: `http://127.0.0.1:${port}/agent`, person, record: { keep, ...record } });
  const logoutUri = `http://127.0.0.1:${port}/logout`;
  await liveByProof({ deployment, platform, bench, person: signer, site, provider, logoutUri, record: { keep, ...record } });
  await bench.close();
  keep('the logout token', await eventually('a logout token', async () => ofLogouts[0] ?? null));
  await eventually('a second webhook with a token', async () => (ofKeyed.length > 1 ? true : null), 30);
  // Authorized, redeemed, refreshed, asked again, the access token revoked, the code replayed, the grant revoked.
  // A revocation comes before whatever else is under way.
  for (const [hooks, types] of [
    [webhooks, ['grant.revoked']],
    [ofAgent, typesOfAgent],
  ] as const)
    for (const type of types)
      await eventually(`a webhook ${type}`, async () => (hooks.some(([, text]) => text.includes(`"${type}"`)) ? true : null), 30);
});
afterAll(async () => {
  await deployment.stop();
  await site.close();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

const logs = async (): Promise<readonly Haystack[]> =>
  (await deployment.allLogs()).split('\n').map((line, index) => [`log line ${index + 1}: ${line.slice(0, 160)}`, line]);

describe('no secret of a whole life', () => {
  test('is in any line that any process has written', async () => {
    const lines = await logs();
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.filter(([, line]) => line.includes('accesstokenvalidation?token=[redacted]')).length).toBeGreaterThan(0);
    expect(findLeaks(canaries, lines)).toEqual([]);
  });

  test('is in any column of any row of any table', async () => {
    const cells = await dumpDatabase(deployment.databaseUrl);
    for (const table of ['grantlog.event', 'grantlog.credential', 'grantlog.message', 'grantlog.attempt', 'grantlog.subscription'])
      expect(
        cells.some(([where]) => where.startsWith(table)),
        table,
      ).toBe(true);
    expect(findLeaks(canaries, cells)).toEqual([]);
  });

  test('is in any refusal, its headers or its page', () => {
    expect(refusals.length).toBeGreaterThan(20);
    expect(findLeaks(canaries, refusals)).toEqual([]);
  });

  test('is in any webhook', () => {
    expect(webhooks.length).toBeGreaterThan(4);
    expect(findLeaks(canaries, webhooks)).toEqual([]);
  });

  test('is in a webhook that has headers and a token, but for those', () => {
    const { token, key } = endpointSecrets;
    expect(ofKeyed.length).toBeGreaterThan(1);
    expect(ofKeyed.every(([, text]) => text.includes(`Bearer ${token}`) && text.includes(key))).toBe(true);
    const rest = ofKeyed.map(([where, text]): Haystack => [where, text.replace(token, '[meant]').replace(key, '[meant]')]);
    expect(findLeaks(canaries, rest)).toEqual([]);
  });

  test("is in an agent's own webhook, but for what it asked to have there", () => {
    for (const type of typesOfAgent)
      expect(
        ofAgent.some(([, text]) => text.includes(`"${type}"`)),
        type,
      ).toBe(true);
    // It really got it, so that what is left out below is not everything.
    expect(ofAgent.every(([, text]) => text.includes(agentSecrets.deliveryContext.to))).toBe(true);
    expect(findLeaks(canaries, ofAgent.map(withoutWhatIsMeant))).toEqual([]);
  });
});

test('no webhook of a whole life has a member that its catalogue does not describe', () => {
  expect(webhooks.length + ofAgent.length).toBeGreaterThan(8);
  expect(undescribed).toEqual([]);
});

describe('the search finds', () => {
  test('a secret in every form that a careless line could give it', () => {
    const secret = 'grx_a7Lq-f_0kz+Wm/81%TT"x';
    for (const leak of [
      secret,
      encodeURIComponent(secret),
      JSON.stringify({ secret }),
      Buffer.from(secret).toString('hex'),
      ...['', 'x', 'xx', 'client:'].flatMap((before) =>
        ['base64', 'base64url'].map((form) => Buffer.from(`${before}${secret}`).toString(form as 'base64')),
      ),
    ])
      expect(findLeaks([['it', secret]], [['a line', `{"msg":"${leak}"}`]]), leak).toEqual(['it in a line']);
    expect(findLeaks([['it', secret]], [['a line', 'nothing']])).toEqual([]);
  });

  test('one that a process really logs, planted in a path', async () => {
    const planted = 'canary-planted-in-a-path-5Jd';
    await fetch(`${deployment.apis[0]?.url}/${platform}/${planted}`);
    const found = await eventually('the line', async () => {
      const leaks = findLeaks([['planted', planted]], await logs());
      return leaks.length > 0 ? leaks : null;
    });
    expect(found[0]).toContain('planted in log line');
  });

  test('one that stands in the database, planted in a text and in bytes', async () => {
    const pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_worker', max: 1 });
    const planted = 'canary-planted-in-a-row-8Kx';
    await pool.query('update subscription set failure = $1 where name = (select min(name) from subscription)', [`failed with ${planted}`]);
    expect(
      findLeaks([['planted', planted]], await dumpDatabase(deployment.databaseUrl)).some((leak) =>
        leak.includes('grantlog.subscription.failure'),
      ),
    ).toBe(true);
    await pool.query('update subscription set failure = null');
    await pool.end();
  });
});
