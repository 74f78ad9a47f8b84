import type { StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { abandonDeliveries, type HealthChange } from '../src/index.ts';
import { delivered, openTurns, rejected, type Turns } from './support/turns.ts';

let turns: Turns;
let endpoint: StreamId;
let one: string;
let other: string;
beforeAll(async () => {
  turns = await openTurns('turns_recorded');
});
beforeEach(async () => {
  endpoint = await turns.endpoint();
  [one, other] = [turns.worker(), turns.worker()];
});
afterAll(() => turns.close());

/** Deliveries of the endpoint in the hands of the first worker, in its first turn. */
const inHand = async (count: number, to = endpoint): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push(await turns.due(to));
  expect(await turns.handed(one, to)).toEqual(ids);
  return ids;
};
const say = (of: Omit<Parameters<Turns['say']>[1], 'endpoint' | 'epoch'>) => turns.say(one, { endpoint, epoch: 1, ...of });
const healthy = { anySuccess: true, consecutiveFailures: 0, openForMs: null } as const;

describe('an outcome', () => {
  test('ends its delivery, or makes it due again as a retry', async () => {
    const [good = '', bad = '', last = ''] = await inHand(3);
    await say({ attempts: [delivered(good), rejected(bad), rejected(last, { state: 'failed', retryInMs: null })], health: healthy });
    expect(await turns.delivery(good)).toMatchObject({ state: 'delivered', attempt: 1 });
    expect(await turns.delivery(bad)).toEqual({ state: 'pending', lane: 2, attempt: 1, failures: 1, due: 60 });
    expect(await turns.delivery(last)).toMatchObject({ state: 'failed', attempt: 1 });
    for (const [id, outcome] of [
      [good, 'delivered'],
      [bad, 'rejected'],
      [last, 'rejected'],
    ] as const)
      expect(await turns.attempts(id)).toEqual([{ attempt: 1, outcome }]);
    expect(await turns.work(endpoint)).toMatchObject({ claimed: [] });
  });

  test('takes what it is about out of the hands of the turn, and nothing else', async () => {
    const [told = '', inTheAir = ''] = await inHand(2);
    await say({ attempts: [delivered(told)] });
    expect(await turns.work(endpoint)).toMatchObject({ claimed: [inTheAir], held: true });
    await say({});
    expect(await turns.work(endpoint)).toMatchObject({ claimed: [inTheAir] });
  });

  test('that is told again changes nothing', async () => {
    const [id = ''] = await inHand(1);
    const attempts = [rejected(id)];
    for (let told = 0; told < 2; told += 1) expect(await say({ attempts })).toMatchObject({ held: true });
    expect(await turns.delivery(id)).toMatchObject({ attempt: 1, failures: 1 });
    expect(await turns.attempts(id)).toHaveLength(1);
  });

  test('of somebody who has lost the turn changes nothing, nor of an epoch that is over', async () => {
    const [id = ''] = await inHand(1);
    expect(await turns.say(other, { endpoint, epoch: 1, attempts: [delivered(id)] })).toBeNull();
    await turns.take(one, { endpoint });
    expect(await say({ attempts: [delivered(id)] })).toBeNull();
    expect(await turns.delivery(id)).toMatchObject({ state: 'pending', attempt: 1, failures: 0 });
    expect(await turns.attempts(id)).toEqual([{ attempt: 1, outcome: 'lost' }]);
  });

  test('of a turn that was lost changes nothing, though it is told of together with one that was not', async () => {
    const [mine = ''] = await inHand(1);
    const lost = await turns.endpoint();
    const [theirs = ''] = await inHand(1, lost);
    await turns.age(lost, `held_until = now() - interval '1 second'`);
    expect(await turns.handed(other, lost)).toEqual([theirs]);
    const answers = await turns.sayAll(one, [
      { endpoint: lost, epoch: 1, attempts: [delivered(theirs)] },
      { endpoint, epoch: 1, attempts: [delivered(mine)] },
    ]);
    expect(answers).toMatchObject([null, { held: true }]);
    expect(await turns.delivery(theirs)).toMatchObject({ state: 'pending', attempt: 1 });
    expect(await turns.delivery(mine)).toMatchObject({ state: 'delivered' });
  });

  test('of what is not in the hands of the turn changes nothing', async () => {
    const [id = ''] = await inHand(1);
    const later = await turns.due(endpoint);
    await say({ attempts: [delivered(id), delivered(later)] });
    expect(await turns.delivery(later)).toMatchObject({ state: 'pending', attempt: 0 });
    expect(await turns.attempts(later)).toEqual([]);
  });

  test('of what was given up while it was sent is noted, and only a success changes the end of it', async () => {
    const [good = '', bad = ''] = await inHand(2);
    const { platform } = turns;
    expect(await abandonDeliveries(turns.pool, { platform, endpoint })).toBe(2);
    await say({ attempts: [delivered(good), rejected(bad)] });
    expect(await turns.delivery(good)).toMatchObject({ state: 'delivered', attempt: 1 });
    expect(await turns.delivery(bad)).toMatchObject({ state: 'abandoned', attempt: 1 });
    expect(await turns.attempts(good)).toEqual([{ attempt: 1, outcome: 'delivered' }]);
    expect(await turns.attempts(bad)).toEqual([{ attempt: 1, outcome: 'rejected' }]);
  });

  test('that is told again of what was given up is not counted twice', async () => {
    const [id = ''] = await inHand(1);
    await abandonDeliveries(turns.pool, { platform: turns.platform, endpoint });
    for (let told = 0; told < 2; told += 1) await say({ attempts: [rejected(id)] });
    expect(await turns.delivery(id)).toMatchObject({ state: 'abandoned', attempt: 1 });
  });
});

describe('a turn that asks to end', () => {
  const asks = () => say({ end: 'asks' });

  test('ends where nothing is due, and anybody may have it', async () => {
    await turns.take(one, { endpoint });
    await turns.due(endpoint, { inSeconds: 60 });
    await turns.due(endpoint, { state: 'held' });
    expect(await asks()).toMatchObject({ held: false, isWanted: false });
    expect(await turns.work(endpoint)).toMatchObject({ holder: null, held: false });
    expect(await turns.take(other, { endpoint })).not.toBeNull();
  });

  test('goes on where something is due by now', async () => {
    await turns.take(one, { endpoint });
    const id = await turns.due(endpoint);
    expect(await asks()).toMatchObject({ held: true });
    expect(await turns.handed(one, endpoint, { epoch: 1 })).toEqual([id]);
  });

  test('goes on while it has something in its hands', async () => {
    const [id = ''] = await inHand(1);
    await turns.pool.query(`update delivery set due_at = now() + interval '1 hour' where id = $1`, [id]);
    expect(await asks()).toMatchObject({ held: true });
    expect(await turns.work(endpoint)).toMatchObject({ holder: one, claimed: [id] });
  });

  test('goes on while it is wanted', async () => {
    await turns.take(one, { endpoint });
    await turns.take(other, { endpoint });
    expect(await asks()).toMatchObject({ held: true, isWanted: true });
    expect(await turns.take(other, { endpoint })).toBeNull();
  });

  test('ends where the circuit is open, whatever is due', async () => {
    const [id = ''] = await inHand(1);
    await turns.due(endpoint);
    const health = { anySuccess: false, consecutiveFailures: 10, openForMs: 15_000 };
    expect(await say({ end: 'asks', attempts: [rejected(id)], health })).toMatchObject({ held: false });
  });

  test('ends where all that is due is for a URL that is not proved, or waits for its turn in its line', async () => {
    const unproved = await turns.endpoint({ proven: false });
    await turns.due(unproved);
    await turns.take(one, { endpoint: unproved });
    expect(await turns.say(one, { endpoint: unproved, epoch: 1, end: 'asks' })).toMatchObject({ held: false });
    const ordered = await turns.endpoint({ ordered: true });
    const line = turns.worker() as StreamId;
    for (const inSeconds of [3_600, -1]) await turns.due(ordered, { line, inSeconds });
    await turns.take(one, { endpoint: ordered });
    expect(await turns.say(one, { endpoint: ordered, epoch: 1, end: 'asks' })).toMatchObject({ held: false });
  });
});

describe('a turn that leaves', () => {
  test('gives back what was not begun, untried, also where it is wanted', async () => {
    const ids = await inHand(2);
    await turns.take(other, { endpoint });
    expect(await say({ end: 'leaves' })).toMatchObject({ held: false, isWanted: true });
    expect(await turns.work(endpoint)).toMatchObject({ holder: null, claimed: [] });
    expect((await turns.take(other, { endpoint }))?.deliveries).toMatchObject(ids.map((id) => ({ id, attempt: 0 })));
  });
});

describe('a turn that stays', () => {
  test('is held from now on', async () => {
    await turns.take(one, { endpoint, holdMs: -1 });
    await say({ tokens: 3 });
    expect(await turns.work(endpoint)).toMatchObject({ held: true, tokens: 3 });
    await say({});
    expect(await turns.work(endpoint)).toMatchObject({ tokens: null });
  });
});

describe('how an endpoint answers', () => {
  const failed = (consecutiveFailures: number, openForMs: number | null = null) => ({ anySuccess: false, consecutiveFailures, openForMs });
  const tell = async (health: HealthChange) => {
    const id = await turns.due(endpoint);
    await turns.take(one, { endpoint, epoch: 1 });
    return say({ attempts: [rejected(id)], health });
  };

  test('is failing since its first failure after a success', async () => {
    await turns.take(one, { endpoint });
    expect(await tell(failed(1))).toMatchObject({ failingForMs: 0 });
    await turns.age(endpoint, `failing_since = now() - interval '1 day'`);
    expect((await tell(failed(2)))?.failingForMs).toBeGreaterThan(86_000_000);
    expect((await say({}))?.failingForMs).toBeGreaterThan(86_000_000);
    expect(await tell({ ...failed(1), anySuccess: true })).toMatchObject({ failingForMs: 0 });
    expect(await tell(healthy)).toMatchObject({ failingSince: null, failingForMs: null });
  });

  test('opens its circuit and closes it, and a report of nothing does neither', async () => {
    await turns.take(one, { endpoint });
    await tell(failed(10, 60_000));
    await say({});
    expect((await turns.work(endpoint))?.open).toBeGreaterThan(55);
    await turns.age(endpoint, 'open_until = now()');
    await tell(healthy);
    expect(await turns.work(endpoint)).toMatchObject({ open: null });
  });
});
