import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFormBrowser, type DemoPlatform, decideAs } from '@grantlog/cli';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Deployment, startDeployment } from '../../support/deployment.ts';

/** The commands of the guide for integrators, as a shell runs them: each block as it is printed, with what people put in. */
const guide = await readFile(join(import.meta.dirname, '..', '..', 'example-clients', 'README.md'), 'utf8');
const blocks = [...guide.matchAll(/^( *)```sh\n(.*?)^ *```$/gms)].map(([, indent = '', block = '']) =>
  block.replaceAll(`\n${indent}`, '\n'),
);
const blockWith = (text: string): string => {
  const found = blocks.filter((block) => block.includes(text));
  expect(found, text).toHaveLength(1);
  return found[0] ?? '';
};

let deployment: Deployment;
let demo: DemoPlatform;
let folder: string;
beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, examples: true });
  const found = deployment.demo.platforms['arlo'];
  if (found === undefined) throw new Error('the demo has no arlo');
  demo = found;
  folder = await mkdtemp(join(tmpdir(), 'grantlog-guide-'));
});
afterAll(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a block behind the one that sets everything up, in the same folder, with the secret typed in. */
const shell = (block: string, typed: Readonly<Record<string, string>> = {}): Promise<string> => {
  const setUp = blockWith('read -rs CLIENT_SECRET').replace('http://localhost:4000/arlo', demo.issuer);
  let text = block;
  for (const [placeholder, value] of Object.entries(typed)) {
    expect(text).toContain(placeholder);
    text = text.replaceAll(placeholder, value);
  }
  return new Promise((resolve, reject) => {
    const child = execFile('bash', ['-eu', '-c', `${setUp}\n${text}`], { cwd: folder }, (error, out, told) =>
      error === null ? resolve(out) : reject(new Error(`${error.message}\n${told}`)),
    );
    child.stdin?.end(`${demo.client.client_secret}\n`);
  });
};
const kept = async (name: string): Promise<Readonly<Record<string, string>>> =>
  JSON.parse(await readFile(join(folder, name), 'utf8')) as Readonly<Record<string, string>>;

test('its five steps lead from a person to a token, a call, a refresh and a revocation', async () => {
  const { client_id: clientId, redirect_uri: redirectUri } = demo.client;
  for (const line of [`CLIENT_ID=${clientId} `, `REDIRECT=${redirectUri}\n`]) expect(guide).toContain(line);
  const told = await shell(blockWith('code_challenge_method=S256'));
  const url = told.trim().split('\n').at(-1) ?? '';
  const callback = await decideAs(createFormBrowser(), url, { ...demo.account, decision: 'allow' });
  expect(callback.searchParams.get('state')).toBe(new URL(url).searchParams.get('state'));
  expect(callback.searchParams.get('iss')).toBe(demo.issuer);

  await shell(blockWith('grant_type=authorization_code'), { 'the code': callback.searchParams.get('code') ?? '' });
  const first = await kept('tokens.json');
  expect(Object.keys(first).toSorted()).toEqual(['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type']);
  for (const name of ['tokens.json', 'client.curlrc', 'code', 'verifier'])
    expect((await stat(join(folder, name))).mode & 0o077, name).toBe(0);

  const call = blockWith('> bearer');
  expect(await shell(call, { 'the access token': first['access_token'] ?? '' })).toMatch(/^HTTP\/1\.1 200 .*First aid/s);

  await shell(blockWith('grant_type=refresh_token'), { 'the refresh token': first['refresh_token'] ?? '' });
  const second = await kept('tokens.json');
  expect(second['access_token']).not.toBe(first['access_token']);
  // The last line revoked the grant, with the tokens that the line before it had got.
  expect(await shell(call, { 'the access token': second['access_token'] ?? '' })).toMatch(/^HTTP\/1\.1 401 .*error="invalid_token"/s);
});

test('an account looks around and registers a client with its own email and password', async () => {
  const person = { 'you@example.org': `${demo.account.email}:${demo.account.password}` };
  expect(await shell(blockWith('curl -i -u'), person)).toMatch(/^HTTP\/1\.1 200 .*sunset:.*First aid/is);
  await shell(blockWith('/developer/clients'), person);
  const registered = await kept('registered.json');
  expect(registered).toMatchObject({ clientId: expect.any(String), clientSecret: expect.any(String), approval: 'pending' });
  expect((await stat(join(folder, 'registered.json'))).mode & 0o077).toBe(0);
});
