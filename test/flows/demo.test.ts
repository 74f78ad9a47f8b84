import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@grantlog/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const command = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');

type Ended = { readonly code: number | null; readonly out: string };

let dataDir: string;
let environment: NodeJS.ProcessEnv;

const grantlog = (...parameters: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [command, ...parameters], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.once('exit', (code) => resolve({ code, out }));
  });

/** What a failed test may leave running. */
const started: (() => Promise<Ended>)[] = [];

const startServer = async (): Promise<() => Promise<Ended>> => {
  const child = spawn(process.execPath, [command, 'start'], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  const ended = new Promise<Ended>((resolve) => child.once('exit', (code) => resolve({ code, out })));
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      out += chunk.toString();
      if (out.includes('Grantlog is running at')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`start ended: ${out}`)));
  });
  const stop = (): Promise<Ended> => {
    child.kill('SIGTERM');
    return ended;
  };
  started.push(stop);
  return stop;
};

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'grantlog-start-'));
  const [apiPort, opsPort] = [await findFreePort(), await findFreePort(3)];
  const { DATABASE_URL: _, REDIS_URL: __, ...rest } = process.env;
  environment = { ...rest, DATA_DIR: dataDir, PORT: String(apiPort), OPS_PORT: String(opsPort), PUBLIC_URL: `http://localhost:${apiPort}` };
});
afterAll(async () => {
  await Promise.all(started.map((stop) => stop()));
  await grantlog('reset');
  await rm(dataDir, { recursive: true, force: true });
});

describe('start, demo and audit, as a newcomer runs them', () => {
  test('play an agent’s whole life on a server that is up, and tell its story from the log', async () => {
    const stop = await startServer();
    const demo = await grantlog('demo');
    expect(demo.out).toContain('Everything held');
    expect(demo.out).toMatch(/init_signup[\s\S]*connected to Demo Person[\s\S]*session\.linked[\s\S]*\+15551234567[\s\S]*session\.revoked/);
    expect(demo.code).toBe(0);
    const [, grantId = ''] = /audit grant ([0-9a-f-]{36})/.exec(demo.out) ?? [];

    const audit = await grantlog('audit', 'grant', grantId);
    expect(audit.code).toBe(0);
    for (const type of ['grant.authorized', 'grant.code_redeemed', 'grant.refreshed', 'grant.revoked']) expect(audit.out).toContain(type);

    // As the README has it, and without a token: start has kept the credentials of an operator.
    const asked = async (...parameters: readonly string[]): Promise<string> => {
      const { code, out } = await grantlog('audit', ...parameters, '--platform', 'arlo-health');
      expect([parameters, code, out]).toEqual([parameters, 0, expect.any(String)]);
      return out;
    };
    await expect.poll(() => asked('events', '--grant', grantId, '--details'), { timeout: 20_000 }).toContain('grant.revoked');
    expect(await asked('events', '--account', 'demo@arlo-health.example', '--from', '24h')).toContain('grant.authorized');
    expect(await asked('count', '--type', 'grant.*')).toMatch(/^total +\d+$/m);
    expect(await asked('lineage', grantId)).toContain('grant.refreshed');
    expect(await asked('grant', grantId, '--at', '0s')).toContain('status: ended');
    expect(await asked('grants')).toContain('could act');
    await asked('export', '--output', join(dataDir, 'arlo-health.ndjson'));
    expect(await asked('tree')).toContain('verifierKey: ');

    const along = await grantlog('demo', '--platform', 'along');
    expect(along.out).toMatch(
      /scope=vault%3Aread&[\s\S]*tools\/list[^←]*← 200 [^\n]*along_list_safes[\s\S]*tools\/list[^←]*← 401 Bearer realm="along"[\s\S]*Everything held/,
    );
    expect(along.out).not.toContain('init_signup');
    const arlo = await grantlog('demo', '--platform', 'arlo');
    expect(arlo.out).toMatch(
      /events\/ Authorization[^←]*← 200 [\s\S]*events\/ Authorization[^←]*← 401 Bearer realm="arlo"[\s\S]*Everything held/,
    );
    expect(arlo.out).not.toMatch(/scope=\S*(?:developer|account)/);

    expect((await grantlog('projections', 'rebuild', 'grant-list')).code).toBe(0);
    await expect.poll(async () => (await grantlog('projections')).out, { timeout: 20_000 }).toMatch(/^grant-list@2: 0 events behind$/m);

    const operator = await grantlog('operator', 'second@grantlog.example');
    expect(operator.out).toMatch(/^second@grantlog\.example signs in at .*\/system\/sign-in with the password [A-Za-z0-9_-]{20}$/m);

    const unknown = await grantlog('audit', 'grant', '019a0000-0000-7000-8000-000000000000');
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.out).toContain('No platform has a grant');
    expect((await stop()).code).toBe(0);
  });

  test('keep the credentials and the grants over a second start', async () => {
    const stop = await startServer();
    const demo = await grantlog('demo');
    expect(demo.out).toContain('Everything held');
    await stop();
  });
});
