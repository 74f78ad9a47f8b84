import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openProvisioning } from '@grantlog/cli';
import type { PlatformId } from '@grantlog/eventsourcing';
import { createPool, type Pool, parseMonth, readHead } from '@grantlog/postgres';
import { eraseAccount } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { archiveMonth } from '../../packages/cli/src/audit/archive/archive-month.ts';
import { basic, createAgent, post } from '../support/agent.ts';
import { runCommand } from '../support/command-line.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestAccount, type TestClient } from '../support/workbench.ts';

/** An old month leaves the log of a running deployment: nobody who is alive notices, and whoever asks is told where it is. */
const platform = 'archived';
const month = parseMonth(new Date().toISOString().slice(0, 7));
if (month === null) throw new Error('no month');
const [now, name] = [month.endedAt + 40 * 86_400_000, month.name];

let deployment: Deployment;
let folder: string;
let auditor: string;
let key: string;
let agent: ReturnType<typeof createAgent>;
let api: { readonly url: string };
let pool: Pool;
type Issued = { access: string; refresh: string; grant: string };
let over: Issued;
let lives: Issued;
let head: number;
let account: TestAccount;
const ofPlatform = platform as PlatformId;

const at = (path: string): string => `${api.url}/${platform}/audit/${path}`;
const ask = async (path: string, token = auditor): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> => {
  const response = await fetch(at(path), { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const issue = async (): Promise<Issued> => {
  const { body } = await agent.redeem(api, await agent.code(api));
  const access = String(body['access_token']);
  return { access, refresh: String(body['refresh_token']), grant: String((await agent.introspect(api, access)).body['grant_id']) };
};
const environment = (): Record<string, string> => ({ DATABASE_URL: deployment.databaseUrl, GRANTLOG_SECRET: deployment.secret });
const command = (...argv: readonly string[]) => runCommand(['audit', ...argv], environment());
const file = (): string => join(folder, `${platform}-${name}.ndjson.gz`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-archived-'));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
  api = { url: deployment.apis[0]?.url ?? '' };
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  const client = await bench.client(platform);
  account = await bench.account(platform);
  await bench.close();
  const authorization = basic(deployment.demo.operator.client as TestClient);
  const form = { grant_type: 'client_credentials', scope: 'audit' };
  auditor = String((await post(`${api.url}/system/oauth/token`, form, { authorization })).body['access_token']);
  await writeFile(join(folder, 'token'), auditor);
  agent = createAgent({
    name: platform,
    demo: { issuer: `${deployment.publicUrl}/${platform}`, client, account } as never,
    scope: 'openid read offline_access',
  });
  over = await issue();
  await agent.revoke(api, over.refresh);
  lives = await issue();

  const owner = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_migrate', max: 3 });
  const worker = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_worker', max: 1 });
  const provisioning = openProvisioning({ connectionString: deployment.databaseUrl, secrets: [deployment.secret] });
  pool = owner;
  head = await readHead(owner, platform as PlatformId);
  await eventually(
    'everybody has read the log, and it is signed',
    async () =>
      archiveMonth({ provisioning, owner, worker }, { month, folder, now, onProgress: () => {} }).catch((error: unknown) => {
        if (error instanceof Error && /signed|has read/.test(error.message)) return null;
        throw error;
      }),
    60,
  );
  await worker.end();
  await provisioning.close();
  key = String((await ask('tree')).body['verifierKey']);
  await eventually('the record of the archive is signed', async () => (Number((await ask('tree')).body['size']) > head ? true : null), 30);
}, 120_000);
afterAll(async () => {
  await pool.end();
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('after a month has left the log', () => {
  test('what lives goes on, and what was over stays over', async () => {
    expect((await agent.introspect(api, lives.access)).body).toMatchObject({ active: true, grant_id: lives.grant });
    const refreshed = await agent.refresh(api, lives.refresh);
    expect(refreshed.status).toBe(200);
    expect((await agent.introspect(api, over.access)).body).toEqual({ active: false });
    expect((await agent.refresh(api, over.refresh)).body).toMatchObject({ error: 'invalid_grant' });
    // A stream that left is not begun anew by whoever still holds a token of it.
    const { rows } = await pool.query('select 1 from event where stream_id = $1', [over.grant]);
    expect(rows).toEqual([]);
  });

  test('an auditor is told which file has it, and nobody else is', async () => {
    const { status, body } = await ask('archives');
    expect(status).toBe(200);
    const [archive] = body['archives'] as readonly Record<string, unknown>[];
    expect(archive).toMatchObject({ month: name, file: `${platform}-${name}.ndjson.gz` });
    for (const path of [`grants/${over.grant}`, `grants/${over.grant}/lineage`, `receipts/${archive?.['firstPosition']}`]) {
      const gone = await ask(path);
      expect(gone).toMatchObject({ status: 410, body: { code: 'archived', archives: [archive] } });
    }
    expect((await ask(`grants/${lives.grant}`)).body).toMatchObject({ grant: { status: 'active' } });
    const then = await ask(`grants?at=${archive?.['firstPosition']}`);
    expect(then.body).toMatchObject({ archives: [archive] });
    expect((await ask('grants')).body).toMatchObject({ archives: [] });
    const token = await fetch(at('token'), {
      method: 'POST',
      headers: { authorization: `Bearer ${auditor}`, 'content-type': 'application/json' },
      body: JSON.stringify({ token: over.access }),
    });
    expect(token.status).toBe(410);
    const elsewhere = await fetch(`${api.url}/along/audit/archives`, { headers: { authorization: `Bearer ${auditor}` } });
    expect(((await elsewhere.json()) as { readonly archives: readonly object[] }).archives).not.toContainEqual(archive);
    expect((await fetch(at('archives'))).status).toBe(401);
    expect((await ask('archives', lives.access)).status).toBeGreaterThanOrEqual(401);
    const listed = await ask(`events?grant=${over.grant}`);
    expect(listed.body).toMatchObject({ events: [], next: null });
  });

  test('the log still verifies, on the server and in the database, and names the files that belong to it', async () => {
    const ways = [
      ['--url', at('tree'), '--token-file', join(folder, 'token')],
      ['--platform', platform],
    ];
    for (const way of ways) {
      const { code, out } = await command('verify', '--key', key, ...way);
      expect(out).toMatch(/^Verified: \d+ events/);
      expect(out).toContain(`  ${platform}-${name}.ndjson.gz, `);
      expect(code).toBe(0);
    }
  });

  test('events that were taken out besides are found, by however right a hash they were replaced', async () => {
    const victim = await pool.query<{ position: number; partition: string }>(
      `select position, tableoid::regclass::text as partition from event where platform = $1 and type = 'sign_in.succeeded' order by position desc limit 1`,
      [platform],
    );
    const { position, partition } = victim.rows[0] ?? { position: 0, partition: '' };
    const hash = Buffer.from(
      await (await fetch(at(`tree/tile/0/000.p/${Math.min(256, Number((await ask('tree')).body['size']))}`))).arrayBuffer(),
    ).subarray((position - 1) * 32, position * 32);
    const client = await pool.connect();
    await client.query('begin');
    await client.query(`alter table ${partition} disable trigger append_only`);
    await client.query(`create temp table victim as select * from ${partition} where platform = '${platform}' and position = ${position}`);
    await client.query(`delete from ${partition} where platform = $1 and position = $2`, [platform, position]);
    // As if it had been archived with the others.
    const present = Buffer.alloc(32);
    present[(position - 1) >> 3] = 1 << ((position - 1) & 7);
    const forged = await client.query<{ id: string }>(
      `insert into archive select gen_random_uuid(), platform, lineage, month, file, digest, 1, 1, $2, $2, tree_size from archive where platform = $1 limit 1 returning id`,
      [platform, position],
    );
    await client.query('insert into archived_leaf values ($1, 0, $2, $3, $4)', [platform, forged.rows[0]?.id, present, hash]);
    await client.query('commit');
    const { code, out } = await command('verify', '--key', key, '--platform', platform);
    expect(out).toContain('somebody has taken events out of the log');
    expect(code).toBe(1);
    await client.query(`insert into ${partition} select * from victim`);
    await client.query('delete from archived_leaf where archive = $1', [forged.rows[0]?.id]);
    client.release(true);
    expect((await command('verify', '--key', key, '--platform', platform)).code).toBe(0);
  });

  test('the file is verified and asked with nothing but the key', async () => {
    const verified = await runCommand(['audit', 'verify', '--key', key, '--export', file()]);
    expect(verified).toMatchObject({ code: 0 });
    const told = await runCommand(['audit', 'archived', file(), '--grant', over.grant, '--details']);
    expect(told.out).toMatch(/grant\.authorized[\s\S]*grant\.code_redeemed[\s\S]*grant\.revoked/);
    const json = await runCommand(['audit', 'archived', file(), '--type', 'grant.revoked', '--json']);
    expect(JSON.parse(json.out.split('\n')[0] ?? '')).toMatchObject({ type: 'grant.revoked', streamId: over.grant });
    expect((await runCommand(['audit', 'archived', file(), '--grant', lives.grant])).notes).toContain('No events');
    expect(await readdir(folder)).toContain(`${platform}-${name}.ndjson.gz`);
  });

  test('what is erased is erased in the file, too, and every proof holds', async () => {
    const signIn = async (): Promise<readonly { readonly personal?: unknown; readonly type: string }[]> => {
      const { code, out } = await command('archived', file(), '--type', 'sign_in.succeeded', '--account', account.id, '--json', '--open');
      expect(code).toBe(0);
      return out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { readonly type: string });
    };
    const before = await signIn();
    expect(before.length).toBeGreaterThan(0);
    for (const { personal } of before) expect(personal).toMatchObject({ address: expect.any(String) });
    const { rows: readings } = await pool.query<{ data: object }>(
      `select data from event where platform = $1 and type = 'audit.read' and data ->> 'question' = 'export'`,
      [platform],
    );
    expect(readings).toMatchObject([{ data: { about: { account: account.id, archive: `${platform}-${name}.ndjson.gz` } } }]);
    // The file by itself has nothing of it in the clear.
    const filed = gunzipSync(await readFile(file())).toString('utf8');
    expect(filed).toContain('"personal":"');
    for (const clear of [account.email, '127.0.0.1', '::1"']) expect(filed).not.toContain(clear);

    const provisioning = openProvisioning({ connectionString: deployment.databaseUrl, secrets: [deployment.secret] });
    await eraseAccount(
      provisioning,
      { actor: { kind: 'system', id: 'test' }, correlationId: 'test' },
      { platform: ofPlatform, account: account.id },
    );
    await provisioning.close();
    await eventually('the key is gone', async () => {
      const { rows } = await pool.query('select 1 from data_key where platform = $1 and subject = $2', [platform, account.id]);
      return rows.length === 0 ? true : null;
    });
    for (const { personal } of await signIn()) expect(personal).toBe('erased');
    expect((await ask(`events?email=${encodeURIComponent(account.email)}`)).body).toMatchObject({ events: [] });
    expect((await command('verify', '--key', key, '--platform', platform)).code).toBe(0);
    expect((await runCommand(['audit', 'verify', '--key', key, '--export', file()])).code).toBe(0);
  });

  test('the command says what is wrong with what it was given', async () => {
    const cases = [
      [['archive'], 2, 'Say which month'],
      [['archive', 'March', '--to', folder], 2, '"March" is no month'],
      [['archive', name, '--to', folder], 1, 'is too young'],
      [['archive', '2020-03', '--to', join(folder, 'nowhere')], 1, 'There is no folder'],
      [['archive', '2020-03', '--to', folder], 1, 'The log has no month 2020-03'],
      [['archived'], 2, 'Say which file'],
      [['archived', join(folder, 'nothing')], 1, 'There is no file'],
      [['archived', join(folder, 'token')], 1, 'is no excerpt of a log'],
      [['archived', file(), '--account', 'somebody@example.com'], 2, 'names nobody by email'],
      [['archived', file(), '--ip', '203.0.113.1'], 2, 'cannot be asked by --ip'],
      [['archived', file(), '--from', 'tomorrow'], 2, '--from is neither a position'],
    ] as const;
    for (const [argv, code, words] of cases) {
      const ran = await command(...argv);
      expect(`${ran.code} ${ran.notes}`).toContain(words);
      expect(ran.code).toBe(code);
    }
  });
});
