import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLogProof } from '@grantlog/transparency';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, createAgent, post } from '../support/agent.ts';
import { runCommand } from '../support/command-line.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestAccount, type TestClient } from '../support/workbench.ts';

/** The audit trail of a running deployment, as an auditor asks it on the command line. */
const platform = 'asked';
const cli = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');

type Run = { readonly code: number | null; readonly out: string; readonly notes: string };

let deployment: Deployment;
let folder: string;
let account: TestAccount;
let client: TestClient;
let grant: string;
let access: string;
let tokens: { readonly own: string; readonly elsewhere: string; readonly unscoped: string };

/** Runs `grantlog audit` in an environment that knows no database: everything comes over HTTP. What is typed goes to a process. */
const run = async (argv: readonly string[], token: string | null, input = ''): Promise<Run> => {
  const given = token === null ? {} : { GRANTLOG_AUDIT_TOKEN: token };
  if (input === '') return runCommand(['audit', ...argv], given);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, 'audit', ...argv], { env: { PATH: process.env['PATH'] ?? '', ...given } });
    const said = { out: '', notes: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.notes += chunk.toString()));
    child.once('close', (code) => resolve({ code, ...said }));
    child.stdin.on('error', () => undefined).end(input);
  });
};
const issuerOf = (name: string): string => `${deployment.apis[0]?.url}/${name}`;
const ask = (...argv: readonly string[]): Promise<Run> => run([...argv, '--url', issuerOf(platform)], tokens.own);
const linesOf = ({ out }: Run): readonly string[] => out.trimEnd().split('\n');
const jsonLines = (found: Run): readonly { readonly type: string; readonly position: number }[] =>
  linesOf(found).map((line) => JSON.parse(line));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-asked-'));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  await bench.configure('elsewhere');
  [account, client] = [await bench.account(platform), await bench.client(platform)];
  const api = { url: deployment.apis[0]?.url ?? '' };
  const tokenOf = async (role: string, scope: string): Promise<string> => {
    const machine = await bench.client('system', { roles: [role] });
    const form = { grant_type: 'client_credentials', scope };
    return String((await post(`${api.url}/system/oauth/token`, form, { authorization: basic(machine) })).body['access_token']);
  };
  tokens = {
    own: await tokenOf(`auditor:${platform}`, 'audit'),
    elsewhere: await tokenOf('auditor:elsewhere', 'audit'),
    unscoped: await tokenOf(`auditor:${platform}`, 'manage'),
  };
  await bench.close();
  const demo = { issuer: `${deployment.publicUrl}/${platform}`, client, account };
  const agent = createAgent({ name: platform, demo: demo as never, scope: 'openid read offline_access' });
  const { body } = await agent.redeem(api, await agent.code(api));
  access = String(body['access_token']);
  grant = String((await agent.introspect(api, access)).body['grant_id']);
  await agent.revoke(api, String(body['refresh_token']));
  await eventually(
    'the index and the tree have come to the end of the grant',
    async () => {
      const { code, out } = await ask('events', '--grant', grant, '--type', 'grant.revoked', '--json');
      if (code !== 0 || out === '') return null;
      return (await ask('receipt', String(JSON.parse(out).position))).code === 0 ? true : null;
    },
    60,
  );
});
afterAll(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The positions of the grant's first and last event. */
const ends = async (): Promise<readonly [number, number]> => {
  const positions = jsonLines(await ask('events', '--stream', grant, '--json')).map(({ position }) => position);
  return [Math.min(...positions), Math.max(...positions)];
};

describe('an auditor', () => {
  test('lists, counts and exports what concerns somebody, by email', async () => {
    const filter = ['--account', account.email.toUpperCase(), '--client', client.client_id, '--type', 'grant.*'];
    const listed = await ask('events', ...filter, '--order', 'oldest');
    expect(linesOf(listed).map((line) => / (TYPE|grant\.\w+) /.exec(line)?.[1])).toEqual([
      'TYPE',
      'grant.authorized',
      'grant.code_redeemed',
      'grant.revoked',
    ]);
    const events = jsonLines(await ask('events', ...filter, '--json', '--limit', '2'));
    expect(events.map(({ type }) => type)).toEqual(['grant.revoked', 'grant.code_redeemed']);
    expect((await ask('events', ...filter, '--details')).out).toMatch(/^ {4}issue: { scopes: openid offline_access read,/m);
    expect(linesOf(await ask('count', ...filter)).at(-1)).toMatch(/^total +3$/);
    const path = join(folder, 'events.csv');
    expect(await ask('export', ...filter, '--format', 'csv', '--output', path)).toMatchObject({ code: 0, out: '' });
    expect((await readFile(path, 'utf8')).split('\r\n').map((line) => line.split(',')[2])).toEqual([
      'type',
      'grant.authorized',
      'grant.code_redeemed',
      'grant.revoked',
      undefined,
    ]);
    const printed = jsonLines(await ask('export', ...filter));
    expect(printed.map(({ type }) => type)).toEqual(['grant.authorized', 'grant.code_redeemed', 'grant.revoked']);
  });

  test('leaves no email, no address and no token in the log of a server', async () => {
    await ask('events', '--account', account.email, '--ip', '203.0.113.77', '--limit', '1');
    await fetch(`${issuerOf(platform)}/audit/events?ip=203.0.113.78`);
    const logs = await eventually('the requests are logged', async () => {
      const text = await deployment.allLogs();
      return text.includes('ip=[redacted]') ? text : null;
    });
    for (const canary of [account.email, '203.0.113.7', tokens.own, access]) expect(logs).not.toContain(canary);
  });

  test('sees a grant, a client, an account and the live grants as they were', async () => {
    const [first, last] = await ends();
    expect((await ask('grant', grant, '--at', String(last - 1))).out).toMatch(/ {2}status: active\n[\s\S]* {2}standing: good\n/);
    const ended = await ask('grant', grant, '--at', String(last), '--json');
    expect(JSON.parse(ended.out)).toMatchObject({ at: { position: last }, grant: { status: 'ended' } });
    expect(await ask('grant', grant, '--at', String(first - 1))).toMatchObject({ code: 1, notes: expect.stringContaining('check the id') });
    expect((await ask('client', client.client_id, '--at', '0s')).out).toContain('name: Test Client');
    expect((await ask('account', account.email)).out).toContain(`Account ${account.id} at position`);
    const live = await ask('grants', '--at', String(last - 1), '--account', account.email);
    expect(live.out).toMatch(new RegExp(`^${grant} .*read`));
    expect(await ask('grants', '--client', client.client_id)).toMatchObject({
      code: 0,
      out: '',
      notes: expect.stringContaining('No grant'),
    });
  });

  test('judges a token from a pipe or a file, and says by the exit code what it was', async () => {
    const [, last] = await ends();
    const path = join(folder, 'shown');
    await writeFile(path, access);
    const then = await run(['token', '--url', issuerOf(platform), '--at', String(last - 1)], tokens.own, `${access}\n`);
    expect(then).toMatchObject({ code: 0, out: expect.stringContaining('The token was good at position') });
    expect(then.out).toContain(`grantId: ${grant}`);
    expect(await ask('token', path)).toMatchObject({ code: 3, out: expect.stringContaining('The token was not good') });
    const asArgument = await ask('token', access);
    expect(asArgument.code).toBe(2);
    expect(asArgument.notes).toContain(`has the id ${grant}`);
    expect(asArgument.notes).not.toContain(access);
  });

  test('is told what an authorization led to', async () => {
    const { code, out } = await ask('lineage', grant);
    expect(code).toBe(0);
    for (const type of ['sign_in.', 'grant.authorized', 'grant.revoked']) expect(out).toContain(type);
  });

  test('is told what a request led to, by its correlation or its trace', async () => {
    const [event] = jsonLines(await ask('events', '--stream', grant, '--type', 'grant.revoked', '--json'));
    const { correlationId } = event as unknown as { readonly correlationId: string };
    for (const id of [correlationId, correlationId.split('-')[1] ?? '']) {
      const { code, out } = await ask('lineage', '--request', id);
      expect(code).toBe(0);
      expect(out).toMatch(/^Request .* of client .*\n[\s\S]*grant\.revoked/);
    }
    expect((await ask('lineage')).code).toBe(2);
    expect((await ask('lineage', grant, '--request', correlationId)).code).toBe(2);
  });

  test('exports an excerpt that can be compared with a checkpoint of before', async () => {
    const [kept, path] = [join(folder, 'of-before'), join(folder, 'events.excerpt')];
    expect((await run(['tree', 'checkpoint', '--url', issuerOf(platform), '--output', kept], null)).code).toBe(0);
    const exported = await ask('export', '--stream', grant, '--format', 'excerpt', '--checkpoint', kept, '--output', path);
    expect(exported).toMatchObject({ code: 0 });
    const [, key = ''] = /verifierKey: (\S+)/.exec((await run(['tree', '--url', issuerOf(platform)], null)).out) ?? [];
    const verified = await run(['verify', '--key', key, '--checkpoint', kept, '--export', path], null);
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.out).not.toMatch(/could not be compared/i);
    expect((await ask('export', '--checkpoint', kept)).code).toBe(2);
    expect((await ask('export', '--format', 'excerpt', '--checkpoint', path)).notes).toContain('is no checkpoint');
  });

  test('keeps a receipt and a checkpoint, and anybody is shown the key', async () => {
    const [, last] = await ends();
    const path = join(folder, 'revocation.tlog-proof');
    expect((await ask('receipt', String(last), '--output', path)).code).toBe(0);
    expect(readLogProof(await readFile(path, 'utf8'))).not.toBeNull();
    expect(await ask('receipt', '999999')).toMatchObject({ code: 1, notes: expect.stringContaining('let a worker run') });
    const at = ['--url', issuerOf(platform)];
    const tree = await run(['tree', ...at], null);
    const [, key = ''] = /verifierKey: (\S+)/.exec(tree.out) ?? [];
    const kept = join(folder, 'checkpoint');
    expect((await run(['tree', 'checkpoint', ...at, '--output', kept], null)).code).toBe(0);
    await writeFile(join(folder, 'token'), tokens.own);
    const argv = ['--key', key, '--checkpoint', kept, '--url', `${issuerOf(platform)}/audit/tree`, '--token-file', join(folder, 'token')];
    expect(await run(['verify', ...argv], null)).toMatchObject({ code: 0, out: expect.stringContaining('Verified') });
  });

  test('is on record with every question', async () => {
    const before = jsonLines(await ask('events', '--type', 'audit.read', '--json', '--limit', '1'))[0]?.position ?? 0;
    await ask('count', '--account', account.email);
    const read = await eventually('the reading is indexed', async () => {
      const { out } = await ask('events', '--type', 'audit.read', '--account', account.id, '--from', String(before + 1), '--json');
      return out.includes('"question":"count"') ? out : null;
    });
    expect(read).not.toContain(account.email);
  });
});

describe('somebody else', () => {
  const some = (): readonly (readonly string[])[] => [
    ['events'],
    ['export', '--output', join(folder, 'stolen')],
    ['account', account.email],
  ];
  const all = (): readonly (readonly string[])[] => [
    ...some(),
    ['count'],
    ['grant', grant, '--json'],
    ['client', client.client_id],
    ['grants'],
    ['token', join(folder, 'shown')],
    ['lineage', grant],
    ['receipt', '1'],
  ];
  test.each([
    ['an auditor of another platform', () => tokens.elsewhere, all, `the role auditor:${platform} on the platform system`],
    ['a token without the scope', () => tokens.unscoped, some, 'get the token with scope=audit'],
    ['a token of the platform itself', () => access, some, 'the token is missing, wrong, expired or revoked'],
  ])('is told nothing, and what is missing: %s', async (_, token, questions, words) => {
    const asked = questions().map(async (argv) => [argv, await run([...argv, '--url', issuerOf(platform)], token())] as const);
    for (const [argv, { code, out, notes }] of await Promise.all(asked)) {
      expect([argv, code, out]).toEqual([argv, 1, '']);
      expect([argv, notes]).toEqual([argv, expect.stringContaining(words)]);
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('stolen'))).toEqual([]);
  });

  test('finds nothing of another platform by its ids', async () => {
    const there = (...argv: readonly string[]): Promise<Run> => run([...argv, '--url', issuerOf('elsewhere')], tokens.elsewhere);
    for (const filter of [
      ['--grant', grant],
      ['--account', account.id],
      ['--account', account.email],
      ['--client', client.client_id],
    ])
      expect(await there('events', ...filter)).toMatchObject({ code: 0, out: '', notes: expect.stringContaining('No events fit') });
    for (const argv of [
      ['grant', grant, '--at', '0s'],
      ['client', client.client_id],
      ['account', account.id],
      ['account', account.email],
    ])
      expect([argv, await there(...argv)]).toEqual([argv, expect.objectContaining({ code: 1, out: '' })]);
  });
});

describe('a question that goes wrong', () => {
  test.each([
    [['events', '--ip', 'nowhere'], 'ip is no address'],
    [['grants', '--at', '999999'], 'at has not been yet'],
    [['lineage', '01890000-0000-7000-8000-000000000009'], 'check the id'],
    [['export', '--format', 'xml'], 'ndjson, csv, excerpt'],
  ])('is answered with what to do: %s', async (argv, words) => {
    expect((await ask(...argv)).notes).toContain(words);
  });

  test('names the platform or the token that is not there', async () => {
    const nobody = ['--url', issuerOf('nobody')];
    expect(await run(['tree', ...nobody], null)).toMatchObject({ code: 1, notes: expect.stringContaining('check the platform') });
    expect(await run(['events', ...nobody], tokens.own)).toMatchObject({ code: 1, notes: expect.stringContaining('auditor:nobody') });
    expect(await run(['events', '--url', issuerOf(platform)], null)).toMatchObject({
      code: 1,
      notes: expect.stringMatching(/without a token[\s\S]*--token-file/),
    });
    expect(await run(['events', '--url', issuerOf(platform), '--token-file', '-'], null, tokens.own)).toMatchObject({ code: 0 });
  });
});
