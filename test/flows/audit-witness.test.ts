import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  hashLeaf,
  parseNote,
  readCosignatures,
  readLogProof,
  readVerifierKey,
  type VerifierKey,
  verifyLogProof,
} from '@grantlog/transparency';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { basic, post } from '../support/agent.ts';
import { runCommand } from '../support/command-line.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { createWitness } from '../support/witness.ts';
import { openWorkbench, type TestClient } from '../support/workbench.ts';

/** A running deployment of two workers that tells two witnesses: a folder, and a server that cosigns. The tests go on from each other. */
const platform = 'witnessed';

type WitnessView = {
  readonly name: string;
  readonly verifierKey: string | null;
  readonly size: number;
  readonly seenAt: string | null;
  readonly failure: { readonly reason: string } | null;
  readonly conflictedAt: string | null;
};
type Tree = { readonly origin: string; readonly verifierKey: string; readonly size: number; readonly witnesses: readonly WitnessView[] };

let deployment: Deployment;
let bench: Awaited<ReturnType<typeof openWorkbench>>;
let witness: Awaited<ReturnType<typeof createWitness>>;
let folder: string;
let auditor: string;
const at = (path: string): string => `${deployment.apis[0]?.url}/${platform}/audit/${path}`;
const ask = (path: string): Promise<Response> => fetch(at(path), { headers: { authorization: `Bearer ${auditor}` } });
const tree = async (): Promise<Tree> => (await (await fetch(at('tree'))).json()) as Tree;
const key = (text: string): VerifierKey => {
  const read = readVerifierKey(text);
  if (read === null) throw new Error(`${text} is no verifier key`);
  return read;
};
const shown = async (name: string): Promise<WitnessView | undefined> => (await tree()).witnesses?.find((each) => each.name === name);
const isCosigned = (note: string): boolean => {
  const parsed = parseNote(note);
  return parsed !== null && readCosignatures(parsed, [witness.configured.key]).length === 1;
};
const verify = async (...argv: readonly string[]): Promise<{ readonly code: number; readonly text: string }> => {
  const { verifierKey } = await tree();
  const { code, out, notes } = await runCommand(['audit', 'verify', '--key', verifierKey, ...argv], {
    DATABASE_URL: deployment.databaseUrl,
  });
  return { code, text: out + notes };
};
const file = async (name: string, content: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-witnessed-'));
  witness = await createWitness('witness.example/w1');
  deployment = await startDeployment({
    databaseUrl: inject('databaseUrl'),
    apis: 1,
    workers: 2,
    settings: { GRANTLOG_WITNESSES: `file:${folder}, ${witness.configured.id} ${witness.configured.url}/` },
  });
  bench = openWorkbench(deployment);
  await bench.configure(platform);
  const authorization = basic(deployment.demo.operator.client as TestClient);
  const form = { grant_type: 'client_credentials', scope: 'audit' };
  auditor = String((await post(`${deployment.apis[0]?.url}/system/oauth/token`, form, { authorization })).body['access_token']);
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
  await witness.close();
  await rm(folder, { recursive: true, force: true });
});

test('a witness that does not know the log is shown as such, and nothing of where it is', async () => {
  const found = await eventually(
    'the refusal',
    async () => {
      const view = await shown('witness.example/w1');
      return view?.failure == null ? null : view;
    },
    30,
  );
  expect(found).toMatchObject({ size: 0, seenAt: null, failure: { reason: 'unknown_log' }, conflictedAt: null });
  const text = JSON.stringify(await tree());
  expect(text).toContain(witness.configured.id);
  expect(text).not.toContain(folder);
  expect(text).not.toContain(new URL(witness.configured.url).port);
});

test('a witness that was told of the log cosigns what is signed, and the checkpoint and receipts show it', async () => {
  const { origin, verifierKey } = await tree();
  witness.knows(origin, key(verifierKey));
  const note = await eventually(
    'a cosigned checkpoint',
    async () => {
      const text = await (await fetch(at('tree/checkpoint'))).text();
      return isCosigned(text) ? text : null;
    },
    60,
  );
  expect(await shown('witness.example/w1')).toMatchObject({ verifierKey: witness.configured.id, failure: null });
  const proof = readLogProof(await (await ask('receipts/1')).text());
  if (proof?.extra == null) throw new Error('that is no receipt');
  const witnesses = { keys: [witness.configured.key], atLeast: 1 };
  const claim = { proof, leafHash: hashLeaf(proof.extra), log: { key: key(verifierKey) }, witnesses };
  expect(verifyLogProof(claim)).toMatchObject({ outcome: 'verified', index: 0, cosignatures: [{}] });
  // The latest is not cosigned at the instant at which it is signed; what is has a name of its own.
  expect(isCosigned(await (await fetch(at('tree/checkpoint?witnessed=true'))).text())).toBe(true);
  expect((await fetch(at('tree/checkpoint?witness=true'))).status).toBe(400);
  expect(note.split('\n')[0]).toBe(origin);
});

test('a folder gets the same checkpoints, a file for each platform', async () => {
  const before = (await tree()).size;
  await bench.configure(platform, { displayName: 'Witnessed again' });
  await eventually('its signature', async () => ((await tree()).size > before ? true : null), 30);
  await eventually('the file', async () => ((await shown('file'))?.size === (await tree()).size ? true : null), 30);
  expect(await shown('file')).toMatchObject({ verifierKey: null, failure: null });
  expect(await readdir(folder)).toContain('witnessed.checkpoints');
  const kept = await readFile(join(folder, 'witnessed.checkpoints'), 'utf8');
  const [latest] = (await (await fetch(at('tree/checkpoint'))).text()).split('\n— witness.example');
  expect(kept.endsWith(`${latest?.trimEnd()}\n\n`)).toBe(true);
});

test('grantlog audit verify asks for the witnesses that it is told of, and says when they signed', async () => {
  await eventually('a cosignature', async () => ((await shown('witness.example/w1'))?.failure === null ? true : null), 60);
  const ofServer = ['--url', at('tree'), '--token-file', await file('token', `${auditor}\n`)];
  const by = ['--witness', witness.configured.id];
  const stranger = await createWitness('stranger.example/w9');
  await stranger.close();
  for (const where of [ofServer, ['--platform', platform]]) {
    const found = await verify(...by, ...where);
    expect(found.text).toMatch(/Verified: .*\n[\s\S]*Cosigned by witness\.example\/w1 at \d{4}-\d\d-\d\dT[\d:.]+Z: \d+ events/);
    expect(found.code).toBe(0);
    const missed = await verify(...by, '--witness', stranger.configured.id, ...where);
    expect(missed).toMatchObject({ code: 1, text: expect.stringContaining('Not cosigned by stranger.example/w9') });
  }
  const note = await (await fetch(at('tree/checkpoint?witnessed=true'))).text();
  const excerpt = await ask(`events/export?format=excerpt&checkpoint=${note.split('\n')[1]}`);
  const exported = ['--export', await file('export', await excerpt.text()), '--checkpoint', await file('kept', note)];
  expect(await verify(...by, ...exported)).toMatchObject({ code: 0, text: expect.stringContaining('Cosigned by witness.example/w1') });
  expect(await verify('--witness', stranger.configured.id, ...exported)).toMatchObject({
    code: 1,
    text: expect.stringContaining('Not cosigned'),
  });
  for (const text of ['nonsense', (await tree()).verifierKey])
    expect(await verify('--witness', text, '--platform', platform)).toMatchObject({
      code: 2,
      text: expect.stringContaining('--witness is no verifier key of a witness'),
    });
});

test('an operator who writes another history with the key of the log is caught by both, loudly, and shown for good', async () => {
  const client = new pg.Client({ connectionString: deployment.databaseUrl });
  await client.connect();
  // Readings that were recorded just now are signed and told within seconds; then nothing is under way.
  const before = await eventually(
    'both have seen all of the log',
    async () => {
      const head = await client.query<{ head: number }>('select max(position)::int as head from grantlog.event where platform = $1', [
        platform,
      ]);
      const { size, witnesses } = await tree();
      return head.rows[0]?.head === size && witnesses.every((each) => each.size === size) ? size : null;
    },
    60,
  );
  const { rows } = await client.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'grantlog.event'::regclass`,
  );
  await client.query('begin');
  await client.query('set local search_path to grantlog');
  for (const table of [...rows.map(({ name }) => name), 'audit_checkpoint', 'audit_cosignature'])
    await client.query(`alter table ${table} disable trigger all`);
  const ofPlatform = `where platform = '${platform}'`;
  await client.query(`update event set data = data || '{"added": 1}' ${ofPlatform} and position = 1`);
  for (const table of ['audit_cosignature', 'audit_checkpoint', 'audit_tile', 'audit_tree'])
    await client.query(`delete from ${table} ${ofPlatform}`);
  await client.query(`update subscription set position = 0 ${ofPlatform} and name = 'audit-tree'`);
  await client.query('commit');
  await client.end();
  for (const name of ['witness.example/w1', 'file']) {
    const found = await eventually(
      `that ${name} refuses`,
      async () => ((await shown(name))?.conflictedAt == null ? null : shown(name)),
      60,
    );
    expect(found).toMatchObject({ size: before, failure: { reason: 'inconsistent' }, conflictedAt: expect.any(String) });
  }
  expect(isCosigned(await (await fetch(at('tree/checkpoint'))).text())).toBe(false);
  expect(await deployment.allLogs()).toContain('a witness refuses the tree: it does not begin with the one that it has');
  const node = await deployment.startWorker();
  const metrics = await eventually('the measure of it', async () => {
    const text = await (await fetch(`${node.opsUrl}/metrics`)).text();
    return /grantlog_witnesses\{[^}]*state="conflicting"[^}]*\} 2\n/.test(text) ? text : null;
  });
  expect(metrics).toMatch(/grantlog_witnesses\{[^}]*state="current"/);
});
