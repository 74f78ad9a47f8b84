import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, createAgent, post } from '../support/agent.ts';
import { runCommand } from '../support/command-line.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkbench, type TestClient } from '../support/workbench.ts';

/** Excerpts of a running deployment, verified offline by the command line. */
const platform = 'excerpted';

let deployment: Deployment;
let folder: string;
let grant: string;
let auditor: string;
let key: string;
const at = (path: string): string => `${deployment.apis[0]?.url}/${platform}/audit/${path}`;
const ask = (path: string): Promise<Response> => fetch(at(path), { headers: { authorization: `Bearer ${auditor}` } });
const excerpt = async (query: string): Promise<string> => {
  const response = await ask(`events/export?format=excerpt&${query}`);
  const text = await response.text();
  expect([response.status, response.headers.get('content-type')], text.slice(0, 500)).toEqual([200, 'application/x-ndjson']);
  return text;
};
const file = async (name: string, bytes: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
};
/** What the command says of a file, on a machine that knows nothing of the deployment. */
const verify = async (bytes: string | Uint8Array, options: { readonly name?: string; readonly kept?: readonly string[] } = {}) => {
  const { name = 'excerpt.ndjson', kept = [] } = options;
  const checkpoints = await Promise.all(kept.map(async (each, n) => ['--checkpoint', await file(`kept-${n}`, each)]));
  const argv = ['audit', 'verify', '--key', key, ...checkpoints.flat(), '--export', await file(name, bytes)];
  const { code, out, notes } = await runCommand(argv);
  return { code, text: out + notes };
};
const signedUpTo = (position: number): Promise<string> =>
  eventually(
    `a checkpoint of ${position} events`,
    async () => {
      const response = await ask('tree/checkpoint');
      const text = await response.text();
      return response.ok && Number(text.split('\n')[1]) >= position ? text : null;
    },
    30,
  );
const sizeOf = (checkpoint: string): number => Number(checkpoint.split('\n')[1]);
const linesOf = (text: string): readonly string[] => text.slice(0, -1).split('\n');
/** Where the events of a file stand. */
const positionsOf = (text: string): readonly number[] =>
  linesOf(text)
    .map((line) => JSON.parse(line) as { readonly event?: { readonly position: number } })
    .flatMap(({ event }) => (event === undefined ? [] : [event.position]));
/** What a superuser does who switches off the triggers that refuse it. */
const tamper = async (statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: deployment.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'grantlog.event'::regclass`,
    );
    for (const { name } of rows) await client.query(`alter table ${name} disable trigger all`);
    await client.query(statement);
  } finally {
    await client.end();
  }
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-excerpt-'));
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 1 });
  const bench = openWorkbench(deployment);
  await bench.configure(platform);
  const [account, client] = [await bench.account(platform), await bench.client(platform)];
  await bench.close();
  const authorization = basic(deployment.demo.operator.client as TestClient);
  const api = { url: deployment.apis[0]?.url ?? '' };
  const form = { grant_type: 'client_credentials', scope: 'audit' };
  auditor = String((await post(`${api.url}/system/oauth/token`, form, { authorization })).body['access_token']);
  const demo = { issuer: `${deployment.publicUrl}/${platform}`, client, account };
  const agent = createAgent({ name: platform, demo: demo as never, scope: 'openid read offline_access' });
  const { body } = await agent.redeem(api, await agent.code(api));
  grant = String((await agent.introspect(api, String(body['access_token']))).body['grant_id']);
  await agent.revoke(api, String(body['refresh_token']));
  await signedUpTo(1);
  key = String(((await (await ask('tree')).json()) as { readonly verifierKey: string }).verifierKey);
});
afterAll(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The events of the grant, when all of them are signed. */
const eventsOfGrant = async (): Promise<readonly number[]> => {
  const { events } = (await (await ask(`events?grant=${grant}&order=oldest`)).json()) as {
    readonly events: readonly { readonly position: number }[];
  };
  const found = events.map(({ position }) => position);
  await signedUpTo(found.at(-1) ?? 0);
  return found;
};

describe('an auditor fetches an excerpt', () => {
  test('by a filter, which is verified offline and against checkpoints that were kept', async () => {
    const kept = await signedUpTo(1);
    const positions = await eventsOfGrant();
    expect(positions.length).toBeGreaterThan(2);
    const text = await excerpt(`grant=${grant}&checkpoint=${sizeOf(kept)}&checkpoint=0`);
    expect(positionsOf(text)).toEqual(positions);
    expect(JSON.parse(linesOf(text)[0] ?? '')).toMatchObject({ excerpt: 'grantlog/v1', platform, base: 0, about: { filter: { grant } } });
    const { code, text: told } = await verify(text, { kept: [kept] });
    expect(told).toContain(`Verified: the ${positions.length} events that it holds are among the `);
    expect(told).toContain(`It fits the checkpoints that you kept of ${sizeOf(kept)} events`);
    expect(code).toBe(0);
  });

  test('of the whole log, which has no personal data but its digests, packed or not', async () => {
    await eventsOfGrant();
    const text = await excerpt('');
    const positions = positionsOf(text);
    expect(positions).toEqual(Array.from({ length: positions.length }, (_, n) => n + 1));
    const lines = linesOf(text).map(
      (line) => JSON.parse(line) as { readonly personal?: string; readonly event?: { personal_digest: string | null } },
    );
    expect(lines.some(({ event }) => typeof event?.personal_digest === 'string')).toBe(true);
    expect(lines.filter(({ personal }) => personal !== undefined)).toEqual([]);
    expect(await verify(gzipSync(text), { name: 'excerpt.ndjson.gz' })).toMatchObject({
      code: 0,
      text: expect.stringMatching(
        new RegExp(`the ${positions.length} events that it holds are among the ${positions.length} .*It holds every event`, 's'),
      ),
    });
  });

  test('of a range, of nothing, and of nobody', async () => {
    await signedUpTo(5);
    expect(positionsOf(await excerpt('from=2&to=4'))).toEqual([2, 3, 4]);
    for (const query of ['from=900000', 'type=nothing.ever', 'email=nobody@example.test']) {
      const text = await excerpt(query);
      expect(positionsOf(text)).toEqual([]);
      expect(await verify(text)).toMatchObject({ code: 0, text: expect.stringMatching(/Verified: the 0 events .*cannot prove/s) });
    }
  });

  test('and is on record with it', async () => {
    await excerpt(`grant=${grant}`);
    const { events } = (await (await ask('events?type=audit.read&limit=10')).json()) as {
      readonly events: readonly { readonly data: object }[];
    };
    expect(events.map(({ data }) => data)).toContainEqual(expect.objectContaining({ question: 'export', about: { grant } }));
  });

  test('and is told what is wrong with what was asked', async () => {
    expect((await ask('events/export?format=excerpt&checkpoint=900000')).status).toBe(422);
    expect((await ask('events/export?format=csv&checkpoint=1')).status).toBe(422);
    expect((await ask('events/export?format=excerpt&checkpoint=x')).status).toBe(400);
    expect((await fetch(at('events/export?format=excerpt'))).status).toBe(401);
  });
});

describe('an excerpt that somebody changed', () => {
  let lines: readonly string[];
  let positions: readonly number[];
  beforeAll(async () => {
    await eventsOfGrant();
    const text = await excerpt(`grant=${grant}`);
    [lines, positions] = [linesOf(text), positionsOf(text)];
  });
  const fileOf = (changed: readonly string[]): string => `${changed.join('\n')}\n`;
  const first = (): number => lines.findIndex((line) => line.startsWith('{"event"'));

  test('is refused, and the line and the event are named', async () => {
    const index = first();
    const [event = '', position = 0] = [lines[index], positions[0]];
    const line = `Line ${index + 1}`;
    const cases: readonly (readonly [string, string])[] = [
      [
        fileOf(lines.with(index, event.replace('grant.authorized', 'grant.authorised'))),
        `${line}: the event at position ${position} is not`,
      ],
      [fileOf(lines.toSpliced(index, 1)), `${line}, of position`],
      [fileOf(lines.toSpliced(index, 0, event)), `Line ${index + 2}, of position ${position}, does not fit`],
      [fileOf(lines.with(index, event.replace(',"', ', "'))), 'not spelled as it was logged'],
      [fileOf(lines.slice(0, -1)), 'the file was cut off'],
      [fileOf(lines).slice(0, -300), 'does not fit'],
      [
        fileOf(lines.with(0, (lines[0] ?? '').replace(/(?<=\\n)\d+(?=\\n)/, '7'))),
        'A checkpoint is refused: its signature does not verify',
      ],
      ['something else\n', 'Line 1 does not fit: it is no head of an excerpt'],
    ];
    for (const [changed, words] of cases) {
      const found = await verify(changed);
      expect(found.text).toContain(words);
      expect(found.code).toBe(1);
    }
    expect(await verify(gzipSync(fileOf(lines)).subarray(0, 400), { name: 'cut.gz' })).toMatchObject({
      code: 1,
      text: expect.stringContaining('cannot be unpacked'),
    });
  });

  test('in the database is named as well, with the hash that was signed', async () => {
    const position = positions.at(-1) ?? 0;
    await tamper(
      `update grantlog.event set data = data || '{"reason": "token_revoken"}' where platform = '${platform}' and position = ${position}`,
    );
    const { code, text } = await verify(await excerpt(`grant=${grant}`));
    expect(text).toContain(`the event at position ${position} is not the one that was logged`);
    expect(text).toContain('; signed was ');
    expect(code).toBe(1);
  });
});
