import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip, gunzipSync, gzipSync } from 'node:zlib';
import { createPasswords, createSealer, sha256 } from '@grantlog/crypto';
import { foldVersion, type GrantState, grantDecider, streamLife } from '@grantlog/domain';
import { fold, type JsonValue, type PlatformId, type RecordedEvent, type StreamId } from '@grantlog/eventsourcing';
import {
  createDatabase,
  createPool,
  createPostgresEventLog,
  listArchives,
  migrate,
  type Pool,
  parseMonth,
  readArchivedLeaves,
  readAuditTree,
  readEventsAfter,
  readHead,
  subjectsOfAccounts,
  transaction,
} from '@grantlog/postgres';
import { createPlatformDirectory, openLogKey } from '@grantlog/provisioning';
import { type LogIdentity, verifierKeyOf, verifyExcerpt } from '@grantlog/transparency';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ArchiveContext, archiveMonth } from '../../../packages/cli/src/audit/archive/archive-month.ts';
import { matching } from '../../../packages/cli/src/audit/archive/query.ts';
import { readExcerptFile } from '../../../packages/cli/src/audit/archive/read-file.ts';
import { createAuditTree } from '../../../services/worker/src/audit/tree.ts';
import { treeKeeping } from '../../../services/worker/src/audit/tree-keeping.ts';
import { createStreamState } from '../../../services/worker/src/subscriptions/stream-state.ts';
import { consumeAll } from '../../load/audit/consume-all.ts';
import { generate } from '../../load/audit/generate.ts';
import { projectionsOf, rebuild } from '../../load/audit/rebuild.ts';

// A month of the real domain's life leaves the log: what lives is judged as before, what left proves itself, and nothing else changes.

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const sealer = createSealer(['a-secret-of-the-test-run-long-enough']);
const [clinic, other] = ['clinic' as PlatformId, 'other' as PlatformId];
const day = 86_400_000;

let folder: string;
let context: ArchiveContext;
let log: ReturnType<typeof createPostgresEventLog>;
const pools: Pool[] = [];
let before: readonly RecordedEvent[];
let theirs: readonly RecordedEvent[];
let logKey: LogIdentity;
const month = parseMonth(new Date().toISOString().slice(0, 7));
if (month === null) throw new Error('no month');
const now = month.endedAt + 40 * day;

const readWhole = async (platform: PlatformId): Promise<readonly RecordedEvent[]> =>
  readEventsAfter(context.owner, { platform, after: 0, limit: 1_000_000 });
const isOfMonth = ({ streamId }: { readonly streamId: StreamId }): boolean => streamId >= month.from && streamId < month.to;
const grantsIn = (events: readonly RecordedEvent[]): ReadonlySet<StreamId> =>
  new Set(events.filter(({ type, version }) => version === 1 && type.startsWith('grant.')).map(({ streamId }) => streamId));
const statesOf = async (grants: Iterable<StreamId>): Promise<ReadonlyMap<StreamId, GrantState>> => {
  const ids = [...grants];
  const loaded = await log.load(
    clinic,
    ids.map((streamId) => ({ streamId })),
  );
  return new Map(ids.map((id) => [id, fold(grantDecider, loaded.stream(id))]));
};
/** The rows of the live generation, but for its number. */
const rowsOf = (table: string, order: string): Promise<readonly object[]> =>
  context.owner
    .query<object>(
      `select to_jsonb(t) - 'generation' as row from ${table} t join projection p on p.platform = t.platform and p.live_generation = t.generation
       and p.name = $1 where t.platform = $2 order by ${order}`,
      [table === 'grant_list' ? 'grant-list' : 'audit-index', clinic],
    )
    .then(({ rows }) => rows);
const streamState = createStreamState({ sealer, onTampered: () => expect.fail('nobody has edited a fold') });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantlog-archive-'));
  const url = await createDatabase({ connectionString: inject('databaseUrl'), name: `archive_${seed}` });
  await migrate({ connectionString: url });
  const open = (role: 'grantlog_api' | 'grantlog_worker' | 'grantlog_migrate', max: number): Pool => {
    const pool = createPool({ connectionString: url, role, max });
    pools.push(pool);
    return pool;
  };
  const [pool, worker, owner] = [open('grantlog_api', 8), open('grantlog_worker', 2), open('grantlog_migrate', 3)];
  log = createPostgresEventLog({ pool, foldVersion, sealer });
  const directory = createPlatformDirectory({ log, sealer });
  context = { provisioning: { log, pool, sealer, directory, passwords: createPasswords({ concurrency: 1 }) }, owner, worker };
  for (const platform of [clinic, other]) await generate({ log, pool, sealer, platform, events: platform === clinic ? 6_000 : 500, seed });
  // The newest event of a log is never archived; here one of the month may be it, until its archive is on record.
  before = await readWhole(clinic);
  theirs = await readWhole(other);
}, 120_000);
afterAll(async () => {
  log.stop();
  for (const pool of pools) await pool.end();
  await rm(folder, { recursive: true, force: true });
});

const archive = (at = now) => archiveMonth(context, { month, folder, now: at, onProgress: () => {} });

describe(`a month of the domain's own history (seed ${seed})`, () => {
  test('does not leave before everybody has read it, and it is signed', async () => {
    await expect(archive()).rejects.toThrow('is not signed up to');
    await consumeAll(context.worker, [
      createAuditTree(treeKeeping({ ...context.provisioning, publicUrl: 'https://auth.example' })),
      streamState,
    ]);
    for (const projection of projectionsOf({ log, sealer })) await rebuild(context.worker, projection);
    const origin = (await readAuditTree(context.owner, clinic))?.origin ?? '';
    logKey = { key: verifierKeyOf({ name: origin, key: await openLogKey(context.provisioning, clinic) }, 'ed25519') };
    expect(await readdir(folder)).toEqual([]);
  });

  test('does not leave where somebody has changed it, and leaves nothing behind', async () => {
    const victim = before.findLast((event) => isOfMonth(event) && event.type === 'sign_in.failed');
    if (victim === undefined) throw new Error('nobody has failed to sign in');
    const setReason = async (reason: unknown): Promise<void> => {
      await context.owner.query(`alter table ${month.table} disable trigger append_only`);
      const sql = `update ${month.table} set data = jsonb_set(data, '{reason}', $3) where platform = $1 and position = $2`;
      await context.owner.query(sql, [clinic, victim.position, JSON.stringify(reason)]);
      await context.owner.query(`alter table ${month.table} enable always trigger append_only`);
    };
    await setReason('another');
    await expect(archive()).rejects.toThrow(`at position ${victim.position} is not what was signed`);
    await setReason((victim.data as { readonly reason: string }).reason);
    expect(await readdir(folder)).toEqual([]);
    expect(await readHead(context.owner, clinic)).toBe(before.length);
  });

  test('leaves what lives, judged as before, and takes the rest to files that prove themselves', async () => {
    const states = await statesOf(grantsIn(before));
    const lives = [...states].filter(
      ([, state]) => streamLife('grant', state as unknown as JsonValue, { now, signInSeconds: 0 }) === 'lives',
    );
    expect(lives.length).toBeGreaterThan(10);
    const archived = await archive();
    expect(archived.map(({ platform }) => platform)).toEqual([clinic, other]);

    const path = archived[0]?.path ?? '';
    const bytes = createReadStream(path).pipe(createGunzip());
    expect(await verifyExcerpt({ excerpt: bytes, log: logKey, trusted: [] })).toMatchObject({ kind: 'verified' });
    const gone: RecordedEvent[] = [];
    for await (const event of readExcerptFile(path)) gone.push(event);
    const rest = await readWhole(clinic);
    const whole = [...gone, ...rest.slice(0, -1)].sort((one, next) => one.position - next.position);
    expect(rest.at(-1)).toMatchObject({ type: 'audit.archived', data: { events: gone.length, month: month.name } });
    expect(whole.map(({ position, type, streamId, data }) => ({ position, type, streamId, data }))).toEqual(
      before.map(({ position, type, streamId, data }) => ({ position, type, streamId, data })),
    );
    expect(gone.length).toBeGreaterThan(before.filter(isOfMonth).length / 4);
    // No stream is torn: what left is whole, and of nothing that lives.
    const stayed = new Set(rest.map(({ streamId }) => streamId));
    for (const { streamId } of gone) expect(stayed.has(streamId)).toBe(false);
    const after = await statesOf(states.keys());
    for (const [id, state] of lives) expect(after.get(id)).toEqual(state);
    // What a grant that lives stands on stays with it.
    for (const [, state] of lives) {
      if (state.status !== 'active' && state.status !== 'authorized') continue;
      for (const id of [state.terms.session, state.terms.signIn]) if (id !== null) expect(stayed.has(id)).toBe(true);
    }
    expect((await readWhole(other)).length).toBeLessThanOrEqual(theirs.length + 1);
    const digest = Buffer.from(sha256(await readFile(path))).toString('hex');
    expect(rest.at(-1)?.data).toMatchObject({ sha256: digest });
    expect((await listArchives(context.owner, { platform: clinic })).map((each) => Buffer.from(each.digest).toString('hex'))).toEqual([
      digest,
    ]);
  });

  test('finds nothing more to take when it is asked again, and takes what has ended since', async () => {
    expect(await archive()).toMatchObject([{ archive: null }, { archive: null }]);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test('leaves read models as a rebuild makes them, and a tree that comes out as it was signed', async () => {
    const head = await readHead(context.owner, clinic);
    const tree = createAuditTree(treeKeeping({ ...context.provisioning, publicUrl: 'https://auth.example' }));
    const projections = projectionsOf({ log, sealer });
    for (const projection of projections) await rebuild(context.worker, projection);
    const tables = [
      ['grant_list', 'grant_id'],
      ['audit_entry', 'position'],
      ['audit_stream', 'stream_id'],
    ] as const;
    const pruned = await Promise.all(tables.map(([table, order]) => rowsOf(table, order)));
    for (const [table] of tables) await context.worker.query(`delete from ${table} where platform = $1`, [clinic]);
    await context.worker.query(`update subscription set position = 0 where platform = $1 and name <> 'audit-tree'`, [clinic]);
    for (const projection of projections) await rebuild(context.worker, projection);
    const rebuilt = await Promise.all(tables.map(([table, order]) => rowsOf(table, order)));
    expect(rebuilt.map((rows) => rows.length)).toEqual(pruned.map((rows) => rows.length));
    expect(rebuilt).toEqual(pruned);

    await consumeAll(context.worker, [tree]);
    const kept = await readAuditTree(context.owner, clinic);
    for (const table of ['audit_tile', 'audit_tree']) await context.worker.query(`delete from ${table} where platform = $1`, [clinic]);
    await context.worker.query(`update subscription set position = 0 where name = 'audit-tree' and platform = $1`, [clinic]);
    await consumeAll(context.worker, [tree]);
    const anew = await readAuditTree(context.owner, clinic);
    expect(anew?.size).toBe(head);
    expect(anew).toEqual(kept);
  });

  test('answers from its file what the index answered', async () => {
    const path = join(folder, `${clinic}-${month.name}.ndjson.gz`);
    const gone: RecordedEvent[] = [];
    for await (const event of readExcerptFile(path)) gone.push(event);
    const granted = gone.find(({ type }) => type === 'grant.authorized');
    if (granted === undefined) throw new Error('no grant has left');
    const { client, account, clientId } = granted.data as {
      readonly client: StreamId;
      readonly account: StreamId;
      readonly clientId: string;
    };
    const positions = async (filter: Parameters<typeof matching>[1]): Promise<readonly number[]> => {
      const found: number[] = [];
      for await (const { event } of matching(readExcerptFile(path), filter)) found.push(event.position);
      return found;
    };
    const ofGone = new Set(gone.map(({ position }) => position));
    // The index as it was: one over the events of before.
    expect(await positions({ types: ['grant.*'] })).toEqual(
      gone.filter(({ type }) => type.startsWith('grant.')).map(({ position }) => position),
    );
    const streams = new Set(
      gone.filter(({ data }) => (data as { readonly client?: string }).client === client).map(({ streamId }) => streamId),
    );
    const ofClient = gone
      .filter(({ streamId, type }) => streams.has(streamId) && !type.startsWith('name.'))
      .map(({ position }) => position);
    const byClient = await positions({ client });
    for (const position of ofClient) expect(byClient).toContain(position);
    expect(await positions({ client: clientId, types: ['grant.*'] })).toEqual(await positions({ client, types: ['grant.*'] }));
    const byAccount = await positions({ account });
    expect(byAccount).toContain(granted.position);
    for (const position of [...byClient, ...byAccount]) expect(ofGone.has(position)).toBe(true);
    expect(await positions({ from: 10, to: 20 })).toEqual([...ofGone].filter((position) => position >= 10 && position <= 20));
  });

  test('is erased with the accounts that it is about', async () => {
    const linked = before.filter(({ type }) => type === 'session.linked');
    const gone = new Set(
      (await readArchivedLeaves(context.owner, { platform: clinic, after: 0, through: 1_000_000 })).map(({ position }) => position),
    );
    const archivedLinks = linked.filter(({ position }) => gone.has(position));
    expect(archivedLinks.length).toBeGreaterThan(0);
    for (const { streamId, data } of archivedLinks.slice(0, 20)) {
      const { account } = data as { readonly account: StreamId };
      const subjects = await transaction(context.worker, (client) => subjectsOfAccounts(client, { platform: clinic, accounts: [account] }));
      expect(subjects).toContain(streamId);
      expect(await transaction(context.worker, (client) => subjectsOfAccounts(client, { platform: other, accounts: [account] }))).toEqual(
        [],
      );
    }
  });

  test('is believed as far as its hashes go: a changed byte, a line less, another key are found', async () => {
    const path = join(folder, `${clinic}-${month.name}.ndjson.gz`);
    const text = gunzipSync(await readFile(path)).toString('utf8');
    const judge = async (changed: string) =>
      verifyExcerpt({
        excerpt: (async function* () {
          yield gunzipSync(gzipSync(changed));
        })(),
        log: logKey,
        trusted: [],
      });
    expect((await judge(text)).kind).toBe('verified');
    const lines = text.split('\n');
    const place = lines.findIndex((line, n) => n > 30 && line.startsWith('{"event":'));
    const changedLine = (lines[place] ?? '').replace('"schema_version":1', '"schema_version":2');
    expect(await judge(lines.with(place, changedLine).join('\n'))).toMatchObject({ kind: 'event_differs' });
    expect((await judge(lines.toSpliced(place, 1).join('\n'))).kind).not.toBe('verified');
    expect((await judge(lines.slice(0, -3).join('\n'))).kind).not.toBe('verified');
    await writeFile(join(folder, 'cut.ndjson'), lines.slice(0, 20).join('\n'));
    await expect(async () => {
      for await (const _ of readExcerptFile(join(folder, 'cut.ndjson')));
    }).rejects.toThrow('was cut off after line 20');
  });
});
