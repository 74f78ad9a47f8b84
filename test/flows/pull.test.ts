import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openStream } from '../../services/api/test/webhooks/support.ts';
import { type Agent, basic, createAgent, post, type Tokens } from '../support/agent.ts';
import { type Deployment, type Node, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestClient } from '../support/workbench.ts';

/** What webhooks tell, asked for on two processes, while the worker that tells it comes and goes. */
const platform = 'pull';

let deployment: Deployment;
let worker: Node;
let agent: Agent;
let other: Agent;
let client: TestClient;
let operator: string;
const received = new Map<string, string>();
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.set(String(request.headers['webhook-id']), Buffer.concat(chunks).toString('utf8'));
    response.writeHead(204).end();
  });
});

const api = (index: number): Node => {
  const node = deployment.apis[index];
  if (node === undefined) throw new Error('two processes were asked for');
  return node;
};
const tokenOf = async (at: string, from: TestClient, scope: string): Promise<string> => {
  const { body } = await post(
    `${api(0).url}/${at}/oauth/token`,
    { grant_type: 'client_credentials', scope },
    { authorization: basic(from) },
  );
  return String(body['access_token']);
};

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  worker = await deployment.startWorker();
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  const account = await bench.account(platform);
  client = await bench.client(platform);
  const stranger = await bench.client(platform);
  await bench.close();
  const agentOf = (of: TestClient): Agent => {
    const demo = { issuer: `${deployment.publicUrl}/${platform}`, client: of, account };
    return createAgent({ name: platform, demo: demo as never, scope: 'openid read offline_access' });
  };
  agent = agentOf(client);
  other = agentOf(stranger);
  operator = await tokenOf('system', deployment.demo.operator.client as TestClient, 'manage');
  const registered = await fetch(`${api(0).url}/${platform}/manage/webhook-endpoints`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook` }),
  });
  expect(registered.status).toBe(201);
});
afterAll(async () => {
  await deployment.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

type Event = { readonly id: string; readonly type: string; readonly data: Readonly<Record<string, unknown>> };
type Page = { readonly events: readonly Event[]; readonly next: string; readonly more: boolean };

const ask = async (at: number, token: string, query: string): Promise<Page> => {
  const response = await fetch(`${api(at).url}/${platform}/events?${query}`, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Page;
};
const connect = async (who: Agent): Promise<Tokens> => (await who.redeem(api(0), await who.code(api(1)))).body as unknown as Tokens;
const refreshed = async (who: Agent, tokens: Tokens, times: number): Promise<Tokens> => {
  let last = tokens;
  for (let turn = 0; turn < times; turn += 1) {
    const { status, body } = await who.refresh(api(turn % 2), last.refresh_token);
    expect(status).toBe(200);
    last = body as unknown as Tokens;
  }
  return last;
};

test('who asks gets the ids and bodies that the webhook got, and each client its own alone', async () => {
  const began = (await ask(0, operator, 'after=latest')).next;
  await refreshed(agent, await connect(agent), 5);
  await refreshed(other, await connect(other), 3);
  const own = await tokenOf(platform, client, 'read');
  const told = await eventually('every event', async () => {
    const { events } = await ask(0, operator, `after=${began}`);
    return events.filter(({ type }) => type === 'grant.refreshed').length === 8 ? events : null;
  });
  await eventually('every webhook', async () => (told.every(({ id }) => received.has(id)) ? true : null));
  for (const { id, ...body } of told) expect(JSON.stringify(body)).toBe(received.get(id));
  // The second process tells the same.
  expect((await ask(1, operator, `after=${began}`)).events.slice(0, told.length)).toEqual(told);
  const { events: ofClient } = await ask(1, own, `after=${began.split('.')[0]}`);
  expect(new Set(ofClient.flatMap(({ data }) => (data['clientId'] === undefined ? [] : [data['clientId']])))).toEqual(
    new Set([client.client_id]),
  );
  expect(ofClient.filter(({ type }) => type === 'grant.refreshed')).toHaveLength(5);
});

test('who waits at one process is answered when something happens at the other', async () => {
  const own = await tokenOf(platform, client, 'read');
  const tokens = await connect(agent);
  const { next } = await eventually('quiet', async () => {
    const page = await ask(1, own, 'after=latest');
    return (await ask(1, own, `after=${page.next}&wait=1`)).events.length === 0 ? page : null;
  });
  const waiting = ask(1, own, `after=${next}&wait=30`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const happened = performance.now();
  await refreshed(agent, tokens, 1);
  expect((await waiting).events.map(({ type }) => type)).toContain('grant.refreshed');
  expect(performance.now() - happened).toBeLessThan(5_000);
});

test('readers that go on from their last id miss nothing and get nothing twice, while connections are cut and the worker is killed', async () => {
  const own = await tokenOf(platform, client, 'read');
  const tokens = [await connect(agent), await connect(agent), await connect(agent)];
  const strangers = await connect(other);
  const began = await eventually('quiet', async () => {
    const { next } = await ask(0, own, 'after=latest');
    return (await ask(0, own, `after=${next}&wait=2`)).events.length === 0 ? next : null;
  });
  let done = false;
  const bySteps = async (limit: number): Promise<readonly string[]> => {
    const seen: string[] = [];
    let after = began;
    for (let turn = 0; ; turn += 1) {
      const isLast = done;
      const page = await ask(turn % 2, own, `after=${after}&limit=${limit}&wait=1`);
      seen.push(...page.events.map(({ id }) => id));
      // From an id as well as from what the page says.
      after = turn % 3 === 0 ? (page.events.at(-1)?.id ?? page.next) : page.next;
      if (isLast && page.events.length === 0 && !page.more) return seen;
    }
  };
  const byStream = async (): Promise<readonly string[]> => {
    const seen: string[] = [];
    let lastId = began;
    for (let turn = 0; ; turn += 1) {
      const isLast = done;
      const stream = await openStream(`${api(turn % 2).url}/${platform}/events`, {
        authorization: `Bearer ${own}`,
        'last-event-id': lastId,
      });
      await new Promise((resolve) => setTimeout(resolve, isLast ? 2_000 : 300));
      const ids = stream.events().flatMap(({ id, event }) => (event === 'end' || id === undefined ? [] : [id]));
      stream.cut();
      seen.push(...ids);
      lastId = ids.at(-1) ?? lastId;
      if (isLast && ids.length === 0) return seen;
    }
  };
  const readers = [bySteps(3), bySteps(100), byStream()];
  const busy = Promise.all([...tokens.map((each) => refreshed(agent, each, 40)), refreshed(other, strangers, 20)]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  worker.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 500));
  worker = await deployment.startWorker();
  await busy;
  const whole = await eventually(
    'every event',
    async () => {
      const { events } = await ask(0, own, `after=${began}&limit=500`);
      return events.filter(({ type }) => type === 'grant.refreshed').length === 120 ? events : null;
    },
    60,
  );
  done = true;
  for (const seen of await Promise.all(readers)) expect(seen).toEqual(whole.map(({ id }) => id));
  expect(whole.filter(({ data }) => data['clientId'] !== client.client_id)).toEqual([]);
});
