import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, pkce, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openTrustedSite, type TrustedSite } from '../support/trusted-site.ts';
import { createVisitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

/** What clients that nobody announced try: at another platform, by the spelling of a URL, by what a document says, by a name. */
const [platform, other] = ['strange', 'stranger'] as const;
const callback = 'https://agent.example/cb';

let site: TrustedSite;
let inside: Server;
/** Requests that reached what only this machine may reach. */
let reached = 0;
let deployment: Deployment;
let bench: Workbench;
let account: TestAccount;

const configure = (name: string) =>
  bench.configure(name, {
    registration: { policy: ['preset', 'open', 'metadata_document'] },
    grantTypes: ['authorization_code', 'refresh_token'],
  });

beforeAll(async () => {
  site = await openTrustedSite();
  inside = createServer((_request, reply) => {
    reached += 1;
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => void inside.listen(0, '127.0.0.1', resolve));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, settings: site.settings });
  bench = openWorkbench(deployment);
  await configure(platform);
  await configure(other);
  account = await bench.account(platform);
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
  await site.close();
  inside.closeAllConnections();
  await new Promise((resolve) => inside.close(resolve));
});

const at = (path: string, on: string = platform): string => `${deployment.publicUrl}/${on}${path}`;
const authorizeUrl = (clientId: string, redirectUri = callback, on: string = platform): string =>
  at(
    `/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
      state: 's',
    })}`,
    on,
  );
const register = async (metadata: object, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(at('/oauth/register'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ redirect_uris: [callback], token_endpoint_auth_method: 'none', ...metadata }),
  });
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, string>> };
};
const visitor = () => createVisitor(new URL(deployment.publicUrl).origin);
/** The consent page of a client, and the browser that sees it. */
const consentOf = async (clientId: string, redirectUri = callback) => {
  const browser = visitor();
  const signIn = await browser.open(authorizeUrl(clientId, redirectUri));
  const page = await browser.post(at('/sign-in'), { ...signIn.hidden, email: account.email, password: account.password });
  return { browser, page };
};

describe('at another platform', () => {
  test('a client that registered itself is nobody, and its token manages nothing', async () => {
    const { body } = await register({ client_name: 'Wanderer' });
    const page = await visitor().open(authorizeUrl(String(body['client_id']), callback, other));
    expect([page.status, page.location]).toEqual([400, null]);
    expect(page.text).toContain('does not know');
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await fetch(at(`/oauth/register/${body['client_id']}`, other), {
        method,
        headers: {
          authorization: `Bearer ${body['registration_access_token']}`,
          ...(method === 'PUT' ? { 'content-type': 'application/json' } : {}),
        },
        ...(method === 'PUT' ? { body: JSON.stringify({ client_id: body['client_id'], redirect_uris: [callback] }) } : {}),
      });
      expect([method, answer.status]).toEqual([method, 401]);
    }
  });

  test('a decision that was sealed for this one decides nothing, and a code of this one is no code there', async () => {
    const url = site.describe('/both.json', { client_name: 'Both', redirect_uris: [callback] });
    const { browser, page } = await consentOf(url);
    const moved = await browser.post(at('/consent', other), { ...page.hidden, decision: 'allow' });
    expect([moved.status, moved.location]).toEqual([403, null]);
    const allowed = await browser.post(at('/consent'), { ...page.hidden, decision: 'allow' });
    const code = allowed.location?.searchParams.get('code') ?? '';
    expect(code).not.toBe('');
    const form = { grant_type: 'authorization_code', client_id: url, code, redirect_uri: callback, code_verifier: pkce().verifier };
    expect((await post(at('/oauth/token', other), form)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('a client_id', () => {
  test('that only a parser would take for the URL of a document is another, and asks nobody anything', async () => {
    const url = site.describe('/agent.json', { client_name: 'Agent', redirect_uris: [callback] });
    expect((await visitor().open(authorizeUrl(url))).status).toBe(200);
    const before = site.asked.length;
    const { host, port } = new URL(url);
    for (const spelling of [
      url.replace('https', 'HTTPS'),
      url.replace('https', 'http'),
      url.replace('localhost', 'LOCALHOST'),
      url.replace('localhost', 'localhost.'),
      url.replace('localhost', 'loc%61lhost'),
      url.replace('localhost', 'ｌocalhost'),
      url.replace('//', '/\\'),
      url.replace(host, `user@${host}`),
      url.replace(host, `agent.example@${host}`),
      url.replace(`:${port}`, `:0${port}`),
      `${url}#top`,
      ` ${url}`,
      `${url}\n`,
      url.replace('/agent.json', '/x/../agent.json'),
      url.replace('/agent.json', '/x/%2e%2e/agent.json'),
      url.replace('/agent.json', ''),
      url.replace('/agent.json', '/'),
      `${url}?${'x'.repeat(600)}`,
    ]) {
      const page = await visitor().open(authorizeUrl(spelling));
      expect([spelling, page.status, page.location]).toEqual([spelling, 400, null]);
    }
    expect(site.asked.length).toBe(before);
    // Its own document only: what another path, or another spelling of it, says of itself is not this client.
    for (const path of ['/%61gent.json', '/agent.json?', '/agent.json?a=b', '//agent.json'])
      expect([path, (await visitor().open(authorizeUrl(`${site.origin}${path}`))).status]).toEqual([path, 400]);
  });

  test('leads to nothing inside, by address, by name, by port or by redirect, and the words are one', async () => {
    const { port } = inside.address() as AddressInfo;
    site.answer('/moved.json', (_request, reply) => reply.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end());
    const words = new Set<string>();
    for (const address of [
      'https://127.0.0.1/c',
      'https://[::1]/c',
      'https://169.254.169.254/c',
      'https://10.0.0.1/c',
      'https://localhost/c',
    ]) {
      const page = await visitor().open(authorizeUrl(address));
      expect([address, page.status]).toEqual([address, 400]);
      words.add(/cannot be used: ([^<]*)/.exec(page.text)?.[1] ?? '');
    }
    expect([...words]).toEqual(['The server could not be reached']);
    for (const clientId of [`https://localhost:${port}/c`, `https://127.0.0.1:${port}/c`, `${site.origin}/moved.json`])
      expect([clientId, (await visitor().open(authorizeUrl(clientId))).status]).toEqual([clientId, 400]);
    expect(reached).toBe(0);
  });

  test('of a document that names keys inside has no keys there', async () => {
    const { port } = inside.address() as AddressInfo;
    const jwks = `http://127.0.0.1:${port}/keys`;
    const keyed = { client_name: 'Keys', redirect_uris: [callback], token_endpoint_auth_method: 'private_key_jwt', jwks_uri: jwks };
    const clientIds = [site.describe('/keys.json', keyed), String((await register(keyed)).body['client_id'])];
    const [header, payload] = [{ alg: 'ES256', kid: 'k' }, { jti: 'j' }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    for (const clientId of clientIds) {
      const answer = await post(at('/oauth/par'), {
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${header}.${Buffer.from(JSON.stringify({ jti: 'j', iss: clientId, sub: clientId })).toString('base64url')}.${payload}`,
      });
      expect([clientId, answer.status, answer.body['error']]).toEqual([clientId, 401, 'invalid_client']);
    }
    expect(reached).toBe(0);
  });
});

describe('a name that imitates', () => {
  test.each([
    ['our own words', 'Claude (<code>claude.ai</code>), set up by the operator of this platform'],
    ['blanks that push our words away', `Claude${'\u2800\u3164'.repeat(30)}`],
    ['letters that turn direction', 'Claude \u202e)dekcehc(\u202c'],
  ])('by %s stays a name: set apart, and said to be nobody’s word', async (_what, name) => {
    const { body } = await register({ client_name: name });
    const { page } = await consentOf(String(body['client_id']));
    const [, shown = ''] = /<dt>Who asks<\/dt><dd><strong><bdi>([^<]*)<\/bdi><\/strong> \(<code>/.exec(page.text) ?? [];
    expect(shown).toMatch(/^Claude/);
    expect(shown).not.toMatch(/[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffd]/u);
    expect(page.text).toContain('registered by itself; nobody has verified its name');
  });
});

test('what nobody sees is shown as what it is in a name that no registration has cleaned', async () => {
  const name = 'Claude\u3164\u2800\u115f\uffa0\u034f\u{e0041}';
  const { client_id } = await bench.client(platform, { kind: 'public', how: 'dynamic', name, redirectUris: [callback] });
  const { page } = await consentOf(client_id);
  expect(page.text).toContain(`<bdi>Claude${'\ufffd'.repeat(6)}</bdi>`);
  expect(page.text).toContain(`Allow Claude${'\ufffd'.repeat(6)}?`);
});

test('a forwarded address that nobody vouches for opens no new budget of registrations', async () => {
  const statuses: number[] = [];
  for (let n = 0; n < 160 && !statuses.includes(429); n += 1)
    statuses.push(
      (await register({ client_name: 'Flood' }, { 'x-forwarded-for': `198.51.100.${n}`, forwarded: `for=198.51.100.${n}` })).status,
    );
  expect(statuses.at(-1)).toBe(429);
});

test('what is kept of attempts to connect names no person, no place, no token and no code', async () => {
  const { page, browser } = await consentOf(site.describe('/traced.json', { client_name: 'Traced', redirect_uris: [callback] }));
  const allowed = await browser.post(at('/consent'), { ...page.hidden, decision: 'allow' });
  const code = allowed.location?.searchParams.get('code') ?? '';
  await post(at('/oauth/token'), {
    grant_type: 'authorization_code',
    code,
    client_id: 'nobody',
    code_verifier: 'a-verifier-that-is-secret',
  });
  await post(
    at('/oauth/token'),
    { grant_type: 'refresh_token', refresh_token: code },
    { authorization: basic({ client_id: 'x', client_secret: 'a-secret' }) },
  );
  await new Promise((resolve) => setTimeout(resolve, 800));
  const { rows } = await bench.context.pool.query<{ text: string }>('select s::text as text from connection_step s');
  const kept = rows.map(({ text }) => text).join('\n');
  expect(kept).toContain('traced.json');
  for (const { text } of rows.filter((row) => row.text.includes('traced.json'))) expect(text).not.toMatch(/127\.0\.0\.1|::1/);
  for (const secret of [code, account.email, account.password, 'a-verifier-that-is-secret', 'a-secret'])
    expect([secret, kept.includes(secret)]).toEqual([secret, false]);
});
