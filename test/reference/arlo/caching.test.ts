import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFormBrowser, type DemoPlatform, decideAs } from '@grantlog/cli';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { basic, post } from '../../support/agent.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { openWorkbench, type Workbench } from '../../support/workbench.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');
const sample = join(checkout, 'test', 'example-clients', 'src', 'main.ts');

type Kept = { readonly accessToken: string; readonly refreshToken: string; readonly scope: string };
type Ran = { readonly code: number | null; readonly out: string; readonly told: string };
type Decision = 'allow' | 'deny';

let deployment: Deployment;
let bench: Workbench;
let demo: DemoPlatform;
let api: Awaited<ReturnType<typeof startApi>>;
let folder: string;
const folders: string[] = [];

const introspect = async (token: string): Promise<Readonly<Record<string, unknown>>> =>
  (await post(`${demo.issuer}/oauth/introspect`, { token }, { authorization: basic(demo.client) })).body;

/** A resource server whose refusals a test orders, and which asks the platform about every other token. */
const startApi = async () => {
  const orders = { expired: new Set<string>(), refuseAll: false, holdUntil: 0 };
  const calls: string[] = [];
  const held: (() => void)[] = [];
  const refusalOf = async (token: string, path: string): Promise<readonly [number, string] | null> => {
    if (orders.expired.has(token)) return [403, 'error="expired_token", error_description="The access token has expired"'];
    const found = await introspect(token);
    if (found['active'] !== true || orders.refuseAll)
      return [401, 'error="invalid_token", error_description="The access token is invalid"'];
    const writes = String(found['scope']).split(' ').includes('write');
    return path.startsWith('/things/write') && !writes ? [403, 'error="insufficient_scope", scope="write"'] : null;
  };
  const server = createServer(async (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    calls.push(token);
    const refusal = await refusalOf(token, request.url ?? '');
    if (refusal === null) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"events":["a course"]}');
      return;
    }
    if (orders.holdUntil > 0) {
      await new Promise<void>((resolve) => {
        held.push(resolve);
        if (held.length >= orders.holdUntil) for (const release of held.splice(0)) release();
      });
    }
    response.writeHead(refusal[0], { 'www-authenticate': [`Bearer realm="arlo", ${refusal[1]}`, 'Basic realm="arlo"'] }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    orders,
    calls,
    resource: `http://127.0.0.1:${port}/things`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

/** Requests of the sample at the platform, in order: all but what the resource server asks. */
const oauthRequests = async (): Promise<readonly string[]> =>
  (await deployment.allLogs())
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly method?: string; readonly url?: string })
    .flatMap(({ method, url }) => (method === undefined || url === undefined ? [] : [`${method} ${url.split('?')[0]}`]))
    .filter((request) => !request.endsWith('/oauth/introspect') && /\/oauth\/|\.well-known/.test(request));

const refreshesSince = async (before: readonly string[]): Promise<number> =>
  (await oauthRequests()).slice(before.length).filter((request) => request === 'POST /arlo/oauth/token').length;

const tokenFile = (): string => join(folder, 'example-client', 'tokens.json');
const kept = async (): Promise<Kept> => JSON.parse(await readFile(tokenFile(), 'utf8')) as Kept;
const secretsKept = async (): Promise<readonly string[]> => {
  const found = await kept().catch(() => null);
  return found === null ? [] : [found.accessToken, found.refreshToken];
};

/** Runs the sample as its own process, and plays the person wherever it asks for one. */
const run = async (
  args: readonly string[],
  person: (url: string) => Promise<unknown> = decide('allow'),
  resource = api.resource,
): Promise<Ran> => {
  const before = await secretsKept();
  const child = spawn(process.execPath, [sample, ...args, '--port', '0', '--browser', 'none'], {
    env: { PATH: process.env['PATH'] ?? '', DATA_DIR: folder, EXAMPLE_RESOURCE: resource },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, told, asked] = ['', '', Promise.resolve<Error | null>(null)];
  let met = false;
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString('utf8');
    const url = /^ {2}(http\S+)\n/m.exec(told)?.[1];
    if (url === undefined || met) return;
    met = true;
    asked = person(url).then(
      () => null,
      (error: Error) => {
        child.kill(); // it would wait for somebody
        return error;
      },
    );
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const deviation = await asked;
  if (deviation !== null) throw deviation;
  for (const secret of [...before, ...(await secretsKept()), demo.client.client_secret]) expect(`${out}${told}`).not.toContain(secret);
  return { code, out, told };
};

const consent = (url: string, decision: Decision): Promise<URL> => decideAs(createFormBrowser(), url, { ...demo.account, decision });
const decide =
  (decision: Decision) =>
  async (url: string): Promise<unknown> =>
    fetch(await consent(url, decision));
const nobody = (): Promise<never> => Promise.reject(new Error('the person was asked'));

const revokeAccessToken = async (token: string): Promise<void> => {
  const revoked = await post(
    `${demo.issuer}/oauth/revoke`,
    { token, token_type_hint: 'access_token' },
    { authorization: basic(demo.client) },
  );
  expect(revoked.status).toBe(200);
};

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, examples: true });
  const found = deployment.demo.platforms['arlo'];
  if (found === undefined) throw new Error('the demo has no arlo');
  demo = found;
  api = await startApi();
  bench = openWorkbench(deployment);
  const text = await readFile(join(checkout, 'infra', 'platforms', 'arlo.json'), 'utf8');
  const document = JSON.parse(text.replaceAll('{issuer}', demo.issuer).replaceAll('{examples}', deployment.examples?.url ?? '')) as {
    readonly resources: readonly object[];
  };
  const [own] = document.resources;
  await bench.configure('arlo', { ...document, resources: [own, { ...own, uri: api.resource, upstream: null }] });
});
afterAll(async () => {
  await api.close();
  await bench.close();
  await deployment.stop();
  for (const each of folders) await rm(each, { recursive: true, force: true });
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-sample-'));
  folders.push(folder);
  await writeFile(join(folder, 'demo.json'), JSON.stringify(deployment.demo));
  Object.assign(api.orders, { refuseAll: false, holdUntil: 0 });
  api.calls.length = 0;
});

/** Leaves the file of an allowed sign-in. */
const signedIn = async (...args: readonly string[]): Promise<Kept> => {
  expect(await run(['login', ...args])).toMatchObject({ code: 0 });
  return kept();
};

describe('the file of the tokens', () => {
  test('is written for its owner alone, in a folder for its owner alone, and leaves no draft', async () => {
    const first = await run([]);
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining('a course') });
    expect((await stat(tokenFile())).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'example-client'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, 'example-client'))).toEqual(['tokens.json']);
    expect(Object.keys(await kept())).not.toContain('idToken');
  });

  test.each([
    ['file', '640', tokenFile],
    ['file', '604', tokenFile],
    ['folder', '750', () => join(folder, 'example-client')],
  ])('is refused where others can reach the %s (%s), and the way to mend it is told', async (_, mode, path) => {
    await signedIn();
    await chmod(path(), Number.parseInt(mode, 8));
    const refused = await run([], nobody);
    expect(refused).toMatchObject({ code: 1, out: '', told: expect.stringContaining('chmod') });
    expect(api.calls).toEqual([]);
  });

  test('is refused where it is a link, or belongs to another client', async () => {
    await signedIn();
    expect(await run(['--client-id', 'another'], nobody)).toMatchObject({ code: 1, told: expect.stringContaining('not of another') });
    await symlink(tokenFile(), join(folder, 'example-client', 'link.json'));
    const linked = await run(['--tokens', join(folder, 'example-client', 'link.json')], nobody);
    expect(linked).toMatchObject({ code: 1, told: expect.stringContaining('is a link') });
    expect(api.calls).toEqual([]);
  });

  test('is described by status without a request and without a token', async () => {
    await signedIn();
    const before = await oauthRequests();
    const told = await run(['status'], nobody);
    expect(told).toMatchObject({
      code: 0,
      out: expect.stringMatching(/scopes +openid profile offline_access read\n.*in 3\d{3} s.*refresh token +kept/s),
    });
    expect(await oauthRequests()).toEqual(before);
  });
});

describe('a kept token', () => {
  test('is used by the next run without any request to the platform', async () => {
    const { accessToken } = await signedIn();
    const before = await oauthRequests();
    expect(await run([], nobody)).toMatchObject({ code: 0, told: '' });
    expect(api.calls).toEqual([accessToken]);
    expect(await oauthRequests()).toEqual(before);
  });

  test('is used although its expiry here is past: the API alone knows', async () => {
    await signedIn();
    await writeFile(tokenFile(), JSON.stringify({ ...(await kept()), expiresAt: 1 }));
    const before = await oauthRequests();
    expect(await run([], nobody)).toMatchObject({ code: 0 });
    expect(await oauthRequests()).toEqual(before);
  });

  test.each(['revoked', 'expired'])('that is %s leads to one refresh, kept before its use, and the request succeeds', async (how) => {
    const old = await signedIn();
    if (how === 'revoked') await revokeAccessToken(old.accessToken);
    else api.orders.expired.add(old.accessToken);
    const before = await oauthRequests();
    expect(await run([], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('a course') });
    const now = await kept();
    expect(await refreshesSince(before)).toBe(1);
    expect(now.refreshToken).not.toBe(old.refreshToken);
    expect(api.calls).toEqual([old.accessToken, now.accessToken]);
    expect((await stat(tokenFile())).mode & 0o777).toBe(0o600);
  });

  test('that is refused once more is not refreshed once more, and its pair is kept', async () => {
    const old = await signedIn();
    api.orders.refuseAll = true;
    const before = await oauthRequests();
    expect(await run([], nobody)).toMatchObject({ code: 1, told: expect.stringContaining('invalid_token') });
    expect(await refreshesSince(before)).toBe(1);
    expect((await kept()).refreshToken).not.toBe(old.refreshToken);
    expect(await introspect((await kept()).accessToken)).toMatchObject({ active: true });
  });

  test('that does not reach far enough is not refreshed: the scope to ask for is told', async () => {
    const old = await signedIn();
    const before = await oauthRequests();
    const refused = await run(['--path', 'write/'], nobody);
    expect(refused).toMatchObject({
      code: 3,
      out: '',
      told: expect.stringContaining("login --scope 'openid profile offline_access read write'"),
    });
    expect(await oauthRequests()).toEqual(before);
    expect(await kept()).toEqual(old);

    await signedIn('--scope', 'openid profile offline_access read write');
    expect(await run(['--path', 'write/'], nobody)).toMatchObject({ code: 0 });
    expect(await introspect(old.accessToken), 'what the new access replaced').toMatchObject({ active: false });
  });

  test('is sent to nothing but the API it is for', async () => {
    await signedIn();
    for (const path of ['http://127.0.0.1:1/', '../other/', '//127.0.0.1:1/things/'])
      expect(await run(['--path', path], nobody), path).toMatchObject({ code: 2 });
    expect(api.calls).toEqual([]);
  });
});

describe('two runs at once', () => {
  test('with a spent token refresh once, and the grant lives on', async () => {
    const old = await signedIn();
    await revokeAccessToken(old.accessToken);
    const before = await oauthRequests();
    api.orders.holdUntil = 2;
    const both = await Promise.all([run([], nobody), run([], nobody)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await refreshesSince(before)).toBe(1);
    const now = await kept();
    expect(api.calls.slice(2)).toEqual([now.accessToken, now.accessToken]);
    expect(await introspect(now.refreshToken)).toMatchObject({ active: true });
  });

  test('are not held up by the lock of one that died', async () => {
    const old = await signedIn();
    await revokeAccessToken(old.accessToken);
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => gone.once('exit', resolve));
    const lock = `${tokenFile()}.lock`;
    await mkdir(lock);
    await writeFile(join(lock, 'owner.json'), JSON.stringify({ pid: gone.pid, host: hostname(), id: crypto.randomUUID() }));
    const both = await Promise.all([run([], nobody), run([], nobody)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await introspect((await kept()).refreshToken)).toMatchObject({ active: true });
  });
});

describe('the person', () => {
  test('is asked again where the access has ended at the server', async () => {
    const old = await signedIn();
    await post(`${demo.issuer}/oauth/revoke`, { token: old.refreshToken }, { authorization: basic(demo.client) });
    const again = await run([]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('a course'), told: expect.stringContaining('asked again') });
    expect((await kept()).refreshToken).not.toBe(old.refreshToken);
  });

  test('who says no is believed, and no token is kept', async () => {
    expect(await run([], decide('deny'))).toMatchObject({ code: 3, out: '', told: expect.stringContaining('access_denied') });
    expect(await kept().catch(() => null)).toBeNull();
  });

  test('is waited for past answers to other requests, and an answer of another server ends it before the code is sent', async () => {
    const statuses: number[] = [];
    const attacked = await run([], async (url) => {
      const callback = await consent(url, 'allow');
      const changed = (name: string, value: string): URL => {
        const other = new URL(callback);
        other.searchParams.set(name, value);
        return other;
      };
      for (const each of [changed('state', 'guessed'), new URL('/favicon.ico', callback), changed('iss', 'https://evil.example')])
        statuses.push((await fetch(each)).status);
    });
    expect(statuses).toEqual([400, 404, 200]);
    expect(attacked).toMatchObject({ code: 1, out: '' });
    expect(await kept().catch(() => null)).toBeNull();
  });
});

test('refresh and revoke do what they say, and revoke ends the access at the server before it forgets', async () => {
  const old = await signedIn();
  expect(await run(['refresh'], nobody)).toMatchObject({ code: 0 });
  const now = await kept();
  expect(now.refreshToken).not.toBe(old.refreshToken);
  expect(await run(['revoke'], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('has ended') });
  expect(await introspect(now.accessToken)).toMatchObject({ active: false });
  expect(await kept().catch(() => null)).toBeNull();
  expect(await run(['refresh'], nobody)).toMatchObject({ code: 3, told: expect.stringContaining('example login') });
});

describe('at the example resource, through the server', () => {
  const atExample = (args: readonly string[], person?: (url: string) => Promise<unknown>): Promise<Ran> => run(args, person, demo.resource);

  test('a kept token is used, a revoked one refreshed once', async () => {
    expect(await atExample([])).toMatchObject({ code: 0, out: expect.stringContaining('First aid') });
    const old = await kept();
    const before = await oauthRequests();
    expect(await atExample(['--path', 'contacts/562/'], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('Paula') });
    expect(await refreshesSince(before)).toBe(0);
    await revokeAccessToken(old.accessToken);
    const after = await oauthRequests();
    expect(await atExample([], nobody)).toMatchObject({ code: 0, out: expect.stringContaining('First aid') });
    expect(await refreshesSince(after)).toBe(1);
  });

  test('a token without the scope is not refreshed, and the scope is named', async () => {
    expect(await atExample(['login', '--scope', 'openid profile offline_access'])).toMatchObject({ code: 0 });
    const before = await oauthRequests();
    expect(await atExample([], nobody)).toMatchObject({
      code: 3,
      told: expect.stringContaining("login --scope 'openid profile offline_access read'"),
    });
    expect(await refreshesSince(before)).toBe(0);
  });
});

test('a secret on the command line is refused', async () => {
  expect(await run(['--client-secret=abc'], nobody)).toMatchObject({ code: 2, told: expect.stringContaining('EXAMPLE_CLIENT_SECRET') });
});
