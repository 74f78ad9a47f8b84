import { parseToken } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { createPool, type Pool } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Agent, createAgent, type Tokens } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';

/** `stream_state` makes loads short and decides nothing: with it, without it and with a forged row, answers are the same. */
let deployment: Deployment;
let agent: Agent;
let pool: Pool;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  agent = createAgent({ name: 'arlo-health', demo: deployment.demo.platforms['arlo-health'] as never });
  // As somebody with the worker's rights would edit a row by hand.
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_worker', max: 2 });
});
afterAll(async () => {
  await pool.end();
  await deployment.stop();
});

type Snapshot = { readonly version: number; readonly follows: string; readonly state: string; readonly mac: Buffer };

const node = (index: number) => deployment.apis[index % deployment.apis.length] as { readonly url: string };
const connect = async (): Promise<Tokens> => (await agent.redeem(node(0), await agent.code(node(1)))).body as unknown as Tokens;
const streamOf = (token: string): StreamId => parseToken(token)?.payload.streamId as StreamId;
const introspect = async (token: string): Promise<readonly unknown[]> =>
  Promise.all([0, 1].map(async (index) => (await agent.introspect(node(index), token)).body));
const isActive = async (token: string): Promise<readonly unknown[]> =>
  (await introspect(token)).map((body) => (body as Record<string, unknown>)['active']);

/** Refreshes `times` over, on the two processes in turn; the pairs in their order. */
const refreshed = async (first: Tokens, times: number): Promise<readonly Tokens[]> => {
  const pairs = [first];
  for (let turn = 0; turn < times; turn += 1) {
    const answer = await agent.refresh(node(turn), pairs.at(-1)?.refresh_token ?? '');
    expect(answer.status).toBe(200);
    pairs.push(answer.body as unknown as Tokens);
  }
  return pairs;
};
const last = (pairs: readonly Tokens[], back = 1): Tokens => {
  const pair = pairs.at(-back);
  if (pair === undefined) throw new Error('no such pair');
  return pair;
};

const readSnapshot = async (stream: StreamId): Promise<Snapshot | undefined> => {
  const { rows } = await pool.query<Snapshot>('select version, follows::text, state, mac from stream_state where stream_id = $1', [stream]);
  return rows[0];
};
const snapshotFrom = (stream: StreamId, version: number): Promise<Snapshot> =>
  eventually(`a snapshot of ${stream} from version ${version}`, async () => {
    const found = await readSnapshot(stream);
    return found !== undefined && found.version >= version ? found : null;
  });
const writeSnapshot = async (stream: StreamId, row: Snapshot): Promise<void> => {
  const { rowCount } = await pool.query(
    'update stream_state set version = $2, follows = $3::uuid[], state = $4, mac = $5 where stream_id = $1',
    [stream, row.version, row.follows, row.state, row.mac],
  );
  expect(rowCount).toBe(1);
};
const alarms = async (stream: StreamId): Promise<number> =>
  (await deployment.allLogs()).split('\n').filter((line) => line.includes('stream_state row was edited') && line.includes(stream)).length;

/** A grant that was revoked with its last event in the snapshot, and its snapshot from before. */
const revoked = async () => {
  const pairs = await refreshed(await connect(), 10);
  const stream = streamOf(last(pairs).access_token);
  // Authorized, redeemed and refreshed ten times; the worker writes a snapshot whenever eight events stand after the last.
  const [events, tail] = [12, 8];
  const active = await snapshotFrom(stream, events - tail + 1);
  const more = await refreshed(last(pairs), active.version + tail - 1 - events);
  const tokens = last(more);
  expect((await agent.revoke(node(0), tokens.refresh_token)).status).toBe(200);
  const ended = await snapshotFrom(stream, active.version + tail);
  expect(ended.state).toContain('"ended"');
  return { stream, tokens, active, ended };
};

/** The whole of what a grant answers, at every stage of its life. */
const live = async (): Promise<void> => {
  const pairs = await refreshed(await connect(), 20);
  const current = last(pairs);
  expect(await isActive(current.access_token)).toEqual([true, true]);
  expect(await isActive(last(pairs, 5).access_token)).toEqual([true, true]);
  // A lost answer comes again, byte for byte; an access token revoked alone goes alone.
  expect((await agent.refresh(node(1), last(pairs, 2).refresh_token)).body).toMatchObject({
    access_token: current.access_token,
    refresh_token: current.refresh_token,
  });
  expect((await agent.revoke(node(0), last(pairs, 3).access_token)).status).toBe(200);
  expect(await isActive(last(pairs, 3).access_token)).toEqual([false, false]);
  expect(await isActive(current.access_token)).toEqual([true, true]);
  expect((await agent.revoke(node(1), current.refresh_token)).status).toBe(200);
  expect(await introspect(current.access_token)).toEqual([{ active: false }, { active: false }]);
  expect((await agent.refresh(node(0), current.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });

  const code = await agent.code(node(0));
  const redeemed = (await agent.redeem(node(0), code)).body as unknown as Tokens;
  expect((await agent.redeem(node(1), code)).body).toMatchObject({ error: 'invalid_grant' });
  expect(await isActive(redeemed.access_token)).toEqual([false, false]);
};

describe('without a worker', () => {
  test('redeem, refresh, revoke and introspect are exact, and there is no snapshot of anything', async () => {
    await live();
    const { rows } = await pool.query<{ count: number }>('select count(*) from stream_state');
    expect(rows[0]?.count).toBe(0);
  });
});

describe('with two workers', () => {
  let before: readonly Tokens[] = [];
  let said: readonly (readonly unknown[])[] = [];

  beforeAll(async () => {
    before = await refreshed(await connect(), 20);
    await agent.revoke(node(0), last(before, 4).access_token);
    said = await Promise.all(before.map((pair) => introspect(pair.access_token)));
    await deployment.startWorker();
    await deployment.startWorker();
    await snapshotFrom(streamOf(last(before).access_token), 20);
  });

  test('what stood before is answered as before', async () => {
    expect(await Promise.all(before.map((pair) => introspect(pair.access_token)))).toEqual(said);
    expect((await agent.refresh(node(1), last(before, 2).refresh_token)).body).toMatchObject({
      access_token: last(before).access_token,
      refresh_token: last(before).refresh_token,
    });
    expect((await agent.refresh(node(1), last(before, 3).refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await isActive(last(before).access_token)).toEqual([false, false]);
  });

  test('redeem, refresh, revoke and introspect stay exact', live);

  test('a row put back as it was before a revocation revives nothing: the log goes on after it', async () => {
    const { stream, tokens, active } = await revoked();
    await writeSnapshot(stream, active);
    expect(await isActive(tokens.access_token)).toEqual([false, false]);
    expect((await agent.refresh(node(0), tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await alarms(stream)).toBe(0);
  });

  const forgeries: readonly (readonly [string, (ended: Snapshot, active: Snapshot, other: Snapshot) => Snapshot])[] = [
    ['the state from before the revocation', (ended, active) => ({ ...ended, state: active.state })],
    ['the state and the MAC from before the revocation', (ended, active) => ({ ...active, version: ended.version })],
    ["another grant's row, whole", (_ended, _active, other) => other],
    ['a MAC of zeros', (ended, active) => ({ ...ended, state: active.state, mac: Buffer.alloc(32) })],
    ['no MAC', (ended, active) => ({ ...ended, state: active.state, mac: Buffer.alloc(0) })],
  ];
  test.each(forgeries)('a revoked grant stays revoked with %s in its row, and the log says that it was edited', async (_, forge) => {
    const { stream, tokens, active, ended } = await revoked();
    const others = await refreshed(await connect(), 10);
    await writeSnapshot(stream, forge(ended, active, await snapshotFrom(streamOf(last(others).access_token), 8)));
    expect(await isActive(tokens.access_token)).toEqual([false, false]);
    expect((await agent.refresh(node(1), tokens.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await alarms(stream)).toBeGreaterThan(0);
  });

  test('an edited row is replaced by a true one with the next events of its stream', async () => {
    const pairs = await refreshed(await connect(), 10);
    const stream = streamOf(last(pairs).access_token);
    const honest = await snapshotFrom(stream, 8);
    await writeSnapshot(stream, { ...honest, follows: '{}' });
    expect(await isActive(last(pairs).access_token)).toEqual([true, true]);
    expect(await alarms(stream)).toBeGreaterThan(0);
    const more = await refreshed(last(pairs), 9);
    const replaced = await snapshotFrom(stream, honest.version + 8);
    expect(replaced.follows).toBe(honest.follows);
    const heard = await alarms(stream);
    expect(await isActive(last(more).access_token)).toEqual([true, true]);
    expect(await alarms(stream)).toBe(heard);
  });
});
