import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashLeaf, readEntryBundle, readLeaf, readLogProof, readVerifierKey, verifyLogProof } from '@grantlog/transparency';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, createAgent, post } from '../support/agent.ts';
import { runCommand } from '../support/command-line.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestClient } from '../support/workbench.ts';

/** The proofs of a running deployment, by the command line and by what anybody can fetch. */
const platform = 'proved';

let deployment: Deployment;
let folder: string;
let grant: string;
let auditor: string;
let key: string;
const at = (path: string): string => `${deployment.apis[0]?.url}/${platform}/audit/${path}`;
const ask = (path: string, token: string | null = auditor): Promise<Response> =>
  fetch(at(path), { headers: token === null ? {} : { authorization: `Bearer ${token}` } });

/** Runs the command as an auditor does, and gives its exit code and what it says. */
const verify = async (...argv: readonly string[]): Promise<{ readonly code: number; readonly text: string }> => {
  const { code, out, notes } = await runCommand(['audit', 'verify', '--key', key, ...argv], { DATABASE_URL: deployment.databaseUrl });
  return { code, text: out + notes };
};
const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
const ofServer = async () => ['--url', at('tree'), '--token-file', await file('token', `${auditor}\n`)];
const signedUpTo = (position: number): Promise<string> =>
  eventually(
    `a checkpoint of ${position} events`,
    async () => {
      const response = await ask('tree/checkpoint', null);
      const text = await response.text();
      return response.ok && Number(text.split('\n')[1]) >= position ? text : null;
    },
    30,
  );
const superuser = async <Row extends object>(...statements: readonly string[]): Promise<readonly Row[]> => {
  const client = new pg.Client({ connectionString: deployment.databaseUrl });
  await client.connect();
  try {
    let rows: readonly Row[] = [];
    for (const statement of statements) rows = (await client.query<Row>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
};
const tables = `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'grantlog.event'::regclass`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-proof-'));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  // An event that is longer than any entry of a bundle.
  const resources = Array.from({ length: 60 }, (_, n) => ({
    uri: `https://${n}.example/${'long/'.repeat(380)}`,
    name: 'Things',
    scopes: ['read'],
  }));
  await bench.configure(platform, { resources });
  await bench.configure(platform);
  const [account, client] = [await bench.account(platform), await bench.client(platform)];
  await bench.close();
  const authorization = basic(deployment.demo.operator.client as TestClient);
  const form = { grant_type: 'client_credentials', scope: 'audit' };
  const api = { url: deployment.apis[0]?.url ?? '' };
  auditor = String((await post(`${api.url}/system/oauth/token`, form, { authorization })).body['access_token']);
  const demo = { issuer: `${deployment.publicUrl}/${platform}`, client, account };
  const agent = createAgent({ name: platform, demo: demo as never, scope: 'openid read offline_access' });
  const { body } = await agent.redeem(api, await agent.code(api));
  grant = String((await agent.introspect(api, String(body['access_token']))).body['grant_id']);
  await agent.revoke(api, String(body['refresh_token']));
  key = await eventually(
    'the first checkpoint',
    async () => {
      const response = await ask('tree', null);
      return response.ok ? String(((await response.json()) as { readonly verifierKey: string }).verifierKey) : null;
    },
    30,
  );
});
afterAll(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The position of the end of the grant. */
const endOfGrant = async (): Promise<number> => {
  const { events } = (await (await ask(`grants/${grant}`)).json()) as {
    readonly events: readonly { readonly type: string; readonly position: number }[];
  };
  return events.find(({ type }) => type === 'grant.revoked')?.position ?? 0;
};

describe('anybody', () => {
  test('reads checkpoints and tiles, and an auditor alone what is behind them', async () => {
    const position = await endOfGrant();
    const size = Number((await signedUpTo(position)).split('\n')[1]);
    const tile = await ask(`tree/tile/0/000.p/${size}`, null);
    expect([tile.status, (await tile.arrayBuffer()).byteLength]).toEqual([200, size * 32]);
    expect((await ask(`tree/tile/0/000.p/${size + 100}`, null)).status).toBe(404);
    expect((await ask(`tree/tile/entries/000.p/${size}`, null)).status).toBe(401);
    const entries = readEntryBundle(new Uint8Array(await (await ask(`tree/tile/entries/000.p/${size}`)).arrayBuffer()));
    expect(entries).toHaveLength(size);
    // What is longer than an entry may be stands by itself.
    const long = (entries ?? []).findIndex(({ byteLength }) => byteLength === 0) + 1;
    expect((await (await ask(`tree/leaf/${long}`)).arrayBuffer()).byteLength).toBeGreaterThan(65_535);
    expect((await ask(`tree/leaf/${long}`, null)).status).toBe(401);
    expect((await ask(`receipts/${position}`, null)).status).toBe(401);
    expect(await (await ask(`tree/consistency?from=1&to=${size}`, null)).json()).toMatchObject({ from: 1, to: size });
    expect((await ask(`tree/consistency?from=1&to=${size + 100}`, null)).status).toBe(422);
    const elsewhere = `${deployment.apis[0]?.url}/nobody/audit/tree/checkpoint`;
    expect((await fetch(elsewhere)).status).toBe(404);
  });
});

test('a receipt of a revocation proves by itself that the log has it', async () => {
  const position = await endOfGrant();
  await signedUpTo(position);
  const proof = readLogProof(await (await ask(`receipts/${position}`)).text());
  const verifier = readVerifierKey(key);
  if (proof?.extra == null || verifier === null) throw new Error('that is no receipt');
  const log = { key: verifier };
  expect(verifyLogProof({ proof, leafHash: hashLeaf(proof.extra), log })).toMatchObject({ outcome: 'verified', index: position - 1 });
  const reading = readLeaf(proof.extra);
  expect(reading).toMatchObject({ outcome: 'read', event: { type: 'grant.revoked', streamId: grant, position, platform } });
  const other = Buffer.from(proof.extra.toString().replace('grant.revoked', 'grant.revoken'));
  expect(verifyLogProof({ proof, leafHash: hashLeaf(other), log })).toMatchObject({ outcome: 'refused', reason: 'not_included' });
});

test('grantlog audit verify finds nothing where nothing was done, on the server and in the database', async () => {
  const kept = await file('checkpoint', await signedUpTo(await endOfGrant()));
  for (const where of [await ofServer(), ['--platform', platform]]) {
    const { code, text } = await verify('--checkpoint', kept, ...where);
    expect(text).toContain('Verified: ');
    expect(code).toBe(0);
  }
});

test('grantlog audit verify says what is wrong with what it was given', async () => {
  const kept = await file('checkpoint', await signedUpTo(1));
  expect(await verify('--url', at('tree'))).toMatchObject({ code: 1, text: expect.stringContaining('access token of an auditor') });
  expect(await verify()).toMatchObject({ code: 2, text: expect.stringContaining('--url, --export or --platform') });
  expect(await verify('--platform', 'nobody')).toMatchObject({
    code: 1,
    text: expect.stringContaining('Nothing of the log of nobody is signed'),
  });
  expect(await verify('--checkpoint', join(folder, 'none'), '--platform', platform)).toMatchObject({
    code: 1,
    text: expect.stringContaining('There is no file'),
  });
  const another = await file('another', (await signedUpTo(1)).replace(/^.*\n/, 'elsewhere.example/audit\n'));
  expect(await verify('--checkpoint', another, '--platform', platform)).toMatchObject({
    code: 1,
    text: expect.stringContaining('A checkpoint is refused'),
  });
  const ownKey = key;
  key = 'nonsense';
  expect(await verify('--checkpoint', kept, '--platform', platform)).toMatchObject({
    code: 2,
    text: expect.stringContaining('--key is no verifier key'),
  });
  key = ownKey;
});

test('grantlog audit verify names the event that a superuser has changed', async () => {
  const position = await endOfGrant();
  const kept = await file('checkpoint', await signedUpTo(position));
  const partitions = await superuser<{ name: string }>(tables);
  await superuser(
    ...partitions.map(({ name }) => `alter table ${name} disable trigger all`),
    `update grantlog.event set data = data || '{"reason": "token_revoken"}' where platform = '${platform}' and position = ${position}`,
  );
  for (const where of [await ofServer(), ['--platform', platform]]) {
    const { code, text } = await verify('--checkpoint', kept, ...where);
    expect(text).toContain(`The event at position ${position} is not the one that was logged`);
    expect(code).toBe(1);
  }
});
