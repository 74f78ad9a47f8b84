import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFormBrowser, decideAs } from '@grantlog/cli';
import { expect } from 'vitest';
import { basic, post } from '../../../support/agent.ts';
import { startDeployment } from '../../../support/deployment.ts';
import { openWorkbench } from '../../../support/workbench.ts';

const checkout = join(import.meta.dirname, '..', '..', '..', '..');
const sample = join(checkout, 'test', 'example-clients', 'src', 'main.ts');

type Kept = { readonly accessToken: string; readonly refreshToken: string; readonly scope: string };
/** How a run of the sample ended, and what it said on either stream. */
export type Ran = { readonly code: number | null; readonly out: string; readonly told: string };
type Decision = 'allow' | 'deny';
type Introspect = (token: string) => Promise<Readonly<Record<string, unknown>>>;

/** A resource server whose refusals a test orders, and which asks the platform about every other token. */
const startApi = async (introspect: Introspect) => {
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

/** For a run in which no person may be asked. */
export const nobody = (): Promise<never> => Promise.reject(new Error('the person was asked'));

export type SampleWorld = Awaited<ReturnType<typeof openSampleWorld>>;

/** The platform arlo, a resource server that takes orders, and the sample client as its own process with a folder for each test. */
export const openSampleWorld = async (databaseUrl: string) => {
  const deployment = await startDeployment({ databaseUrl, apis: 1, workers: 0, examples: true });
  const demo = deployment.demo.platforms['arlo'];
  if (demo === undefined) throw new Error('the demo has no arlo');
  const introspect: Introspect = async (token) =>
    (await post(`${demo.issuer}/oauth/introspect`, { token }, { authorization: basic(demo.client) })).body;
  const api = await startApi(introspect);
  const bench = openWorkbench(deployment);
  const text = await readFile(join(checkout, 'infra', 'platforms', 'arlo.json'), 'utf8');
  const document = JSON.parse(text.replaceAll('{issuer}', demo.issuer).replaceAll('{examples}', deployment.examples?.url ?? '')) as {
    readonly resources: readonly object[];
  };
  const [own] = document.resources;
  await bench.configure('arlo', { ...document, resources: [own, { ...own, uri: api.resource, upstream: null }] });

  let folder = '';
  const folders: string[] = [];
  /** An empty folder for the sample, and no orders to the resource server. */
  const begin = async (): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), 'grantlog-sample-'));
    folders.push(folder);
    await writeFile(join(folder, 'demo.json'), JSON.stringify(deployment.demo));
    Object.assign(api.orders, { refuseAll: false, holdUntil: 0 });
    api.calls.length = 0;
  };
  const stop = async (): Promise<void> => {
    await api.close();
    await bench.close();
    await deployment.stop();
    for (const each of folders) await rm(each, { recursive: true, force: true });
  };

  /** The server's log with every request that has been answered so far: a line is written after its answer, and read later still. */
  const settledLog = async (): Promise<string> => {
    const marker = `/marker-${randomUUID()}`;
    await fetch(new URL(marker, demo.issuer));
    for (;;) {
      const log = await deployment.allLogs();
      if (log.includes(marker)) return log;
      await sleep(10);
    }
  };

  /** Requests of the sample at the platform, in order: all but what the resource server asks. */
  const oauthRequests = async (): Promise<readonly string[]> =>
    (await settledLog())
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { readonly method?: string; readonly url?: string })
      .flatMap(({ method, url }) => (method === undefined || url === undefined ? [] : [`${method} ${url.split('?')[0]}`]))
      .filter((request) => !request.endsWith('/oauth/introspect') && /\/oauth\/|\.well-known/.test(request));

  const refreshesSince = async (before: readonly string[]): Promise<number> =>
    (await oauthRequests()).slice(before.length).filter((request) => request === 'POST /arlo/oauth/token').length;

  const consent = (url: string, decision: Decision): Promise<URL> => decideAs(createFormBrowser(), url, { ...demo.account, decision });
  const decide =
    (decision: Decision) =>
    async (url: string): Promise<unknown> =>
      fetch(await consent(url, decision));

  const tokenFolder = (): string => join(folder, 'example-client');
  const tokenFile = (): string => join(tokenFolder(), 'tokens.json');
  const kept = async (): Promise<Kept> => JSON.parse(await readFile(tokenFile(), 'utf8')) as Kept;
  const secretsKept = async (): Promise<readonly string[]> => {
    const found = await kept().catch(() => null);
    return found === null ? [] : [found.accessToken, found.refreshToken].filter((secret) => secret !== null);
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

  const revoke = async (token: string): Promise<void> => {
    const revoked = await post(`${demo.issuer}/oauth/revoke`, { token }, { authorization: basic(demo.client) });
    expect(revoked.status).toBe(200);
  };

  /** Leaves the file of an allowed sign-in. */
  const signedIn = async (...args: readonly string[]): Promise<Kept> => {
    expect(await run(['login', ...args])).toMatchObject({ code: 0 });
    return kept();
  };

  return {
    demo,
    api,
    introspect,
    begin,
    stop,
    run,
    signedIn,
    kept,
    tokenFolder,
    tokenFile,
    oauthRequests,
    refreshesSince,
    consent,
    decide,
    revoke,
  };
};
