import type { StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { delivered, openTurns, rejected, type Turns } from './support/turns.ts';

let turns: Turns;
let endpoint: StreamId;
let one: string;
let other: string;
beforeAll(async () => {
  turns = await openTurns('turns_taken');
});
beforeEach(async () => {
  endpoint = await turns.endpoint();
  [one, other] = [turns.worker(), turns.worker()];
});
afterAll(() => turns.close());

describe('a turn', () => {
  test('begins with an epoch of its own each time, also for the one who has it', async () => {
    for (const epoch of [1, 2, 3]) expect(await turns.take(one, { endpoint })).toMatchObject({ epoch });
  });

  test("is not to be had while it is somebody else's, who is told that he is wanted", async () => {
    await turns.due(endpoint);
    const mine = await turns.take(one, { endpoint });
    for (let asked = 0; asked < 2; asked += 1) expect(await turns.take(other, { endpoint })).toBeNull();
    expect(await turns.work(endpoint)).toMatchObject({ holder: one, epoch: mine?.epoch, wanted: 2, held: true });
    expect(await turns.say(one, { endpoint, epoch: 1 })).toMatchObject({ held: true, isWanted: true });
    // Who takes after being wanted has seen whatever it was for.
    await turns.take(one, { endpoint, epoch: 1 });
    expect(await turns.say(one, { endpoint, epoch: 1 })).toMatchObject({ isWanted: false });
  });

  test('that has run out is to be had, and its holder has lost it', async () => {
    await turns.due(endpoint);
    await turns.take(one, { endpoint, holdMs: -1 });
    expect(await turns.take(other, { endpoint })).toMatchObject({ epoch: 2 });
    expect(await turns.take(one, { endpoint, epoch: 1 })).toBeNull();
    expect(await turns.work(endpoint)).toMatchObject({ holder: other, epoch: 2, held: true });
  });

  test('that has run out goes on where nobody else has begun', async () => {
    await turns.take(one, { endpoint, holdMs: -1 });
    expect(await turns.take(one, { endpoint, epoch: 1 })).toMatchObject({ epoch: 1 });
    expect(await turns.work(endpoint)).toMatchObject({ holder: one, epoch: 1, held: true });
  });

  test('is not held by an epoch that is over', async () => {
    for (const holdMs of [60_000, -1]) await turns.take(one, { endpoint, holdMs });
    expect(await turns.take(one, { endpoint, epoch: 1 })).toBeNull();
    expect(await turns.work(endpoint)).toMatchObject({ epoch: 2, held: false });
  });

  test('that is begun records what a former one left as lost, once, and hands it out again', async () => {
    const [cut, ended] = [await turns.due(endpoint), await turns.due(endpoint)];
    const first = await turns.take(one, { endpoint });
    await turns.say(one, { endpoint, epoch: first?.epoch ?? 0, attempts: [rejected(ended)] });
    const second = await turns.take(other, { endpoint, holdMs: 60_000 });
    expect(second).toBeNull();
    await turns.age(endpoint, `held_until = now() - interval '1 second'`);
    expect((await turns.take(other, { endpoint }))?.deliveries).toEqual([{ id: cut, lane: 1, proves: false, attempt: 1, failures: 0 }]);
    expect(await turns.attempts(cut)).toEqual([{ attempt: 1, outcome: 'lost' }]);
    expect(await turns.attempts(ended)).toEqual([{ attempt: 1, outcome: 'rejected' }]);
    expect(await turns.work(endpoint)).toMatchObject({ claimed: [cut] });
  });

  test('that is cut off again and again puts off what it had in hand, longer each time, and nothing else', async () => {
    const deadly = await turns.due(endpoint);
    const waits: unknown[] = [];
    for (let cuts = 0; cuts < 6; cuts += 1) {
      await turns.pool.query('update delivery set due_at = now() where id = $1', [deadly]);
      expect(await turns.handed(turns.worker(), endpoint)).toEqual([deadly]);
      await turns.age(endpoint, `held_until = now() - interval '1 second'`);
      // An empty hand: nobody is there to be cut off.
      await turns.take(one, { endpoint, room: 0 });
      waits.push(((await turns.delivery(deadly)) as { readonly due: number }).due);
      await turns.age(endpoint, `held_until = now() - interval '1 second'`);
    }
    expect(waits).toEqual([0, 0, 0, 10, 20, 40]);
    const harmless = await turns.due(endpoint);
    expect(await turns.handed(other, endpoint)).toEqual([harmless]);
    expect(await turns.attempts(deadly)).toHaveLength(6);
  });

  test('that goes on keeps what is in its hands, and hands out nothing twice', async () => {
    const first = await turns.due(endpoint);
    expect(await turns.handed(one, endpoint)).toEqual([first]);
    const second = await turns.due(endpoint);
    expect(await turns.handed(one, endpoint, { epoch: 1 })).toEqual([second]);
    expect(await turns.handed(one, endpoint, { epoch: 1 })).toEqual([]);
    expect(await turns.work(endpoint)).toMatchObject({ claimed: [first, second] });
    expect(await turns.attempts(first)).toEqual([]);
  });
});

describe('turns that are taken together', () => {
  test('are answered one by one, and what one left behind is nothing to the others', async () => {
    const [crashed, goingOn, elsewhere] = [endpoint, await turns.endpoint(), await turns.endpoint()];
    const [cut, inHand, theirs] = [await turns.due(crashed), await turns.due(goingOn), await turns.due(elsewhere)];
    await turns.take(other, { endpoint: elsewhere });
    await turns.takeAll(one, [{ endpoint: crashed }, { endpoint: goingOn }]);
    const answers = await turns.takeAll(one, [{ endpoint: goingOn, epoch: 1 }, { endpoint: elsewhere }, { endpoint: crashed }]);
    expect(answers).toMatchObject([{ epoch: 1, deliveries: [] }, null, { epoch: 2, deliveries: [{ id: cut, attempt: 1 }] }]);
    expect(await turns.work(goingOn)).toMatchObject({ claimed: [inHand] });
    expect(await turns.attempts(inHand)).toEqual([]);
    expect(await turns.attempts(theirs)).toEqual([]);
  });
});

describe('what is handed out', () => {
  test('is what is due, and neither what is held back nor for later', async () => {
    const now = await turns.due(endpoint);
    await turns.due(endpoint, { inSeconds: 60 });
    await turns.due(endpoint, { state: 'held' });
    expect(await turns.handed(one, endpoint)).toEqual([now]);
  });

  test('is in its order: by lane, then by when it is due, then by position', async () => {
    const retry = await turns.due(endpoint, { lane: 2, inSeconds: -100 });
    const late = await turns.due(endpoint, { inSeconds: -10 });
    const early = await turns.due(endpoint, { inSeconds: -20 });
    const revocation = await turns.due(endpoint, { lane: 0 });
    expect(await turns.handed(one, endpoint)).toEqual([revocation, early, late, retry]);
  });

  test('is revocations first where there is room for few', async () => {
    for (let n = 0; n < 3; n += 1) await turns.due(endpoint, { lane: 2, inSeconds: -100 });
    const first = await turns.due(endpoint, { inSeconds: -50 });
    await turns.due(endpoint, { inSeconds: -40 });
    const revocation = await turns.due(endpoint, { lane: 0 });
    expect(await turns.handed(one, endpoint, { room: 2 })).toEqual([revocation, first]);
  });

  test('is proofs alone to a URL that is not proved', async () => {
    const unproved = await turns.endpoint({ proven: false });
    await turns.due(unproved);
    const proof = await turns.due(unproved, { proves: true });
    expect(await turns.handed(one, unproved)).toEqual([proof]);
  });

  test('is nothing while the circuit is open, and one probe when its time is over', async () => {
    const [first, second] = [await turns.due(endpoint), await turns.due(endpoint)];
    await turns.take(one, { endpoint, room: 0 });
    await turns.age(endpoint, `open_until = now() + interval '1 minute'`);
    expect(await turns.take(one, { endpoint, epoch: 1 })).toMatchObject({ isOpen: true, deliveries: [] });
    await turns.age(endpoint, `open_until = now() - interval '1 minute'`);
    expect(await turns.take(one, { endpoint, epoch: 1 })).toMatchObject({ isOpen: false, deliveries: [{ id: first }] });
    await turns.age(endpoint, 'open_until = null');
    expect(await turns.handed(one, endpoint, { epoch: 1 })).toEqual([second]);
  });

  test('comes with how the endpoint answers, and what was left of its rate and when', async () => {
    await turns.take(one, { endpoint });
    await turns.say(one, {
      endpoint,
      epoch: 1,
      attempts: [rejected(await turns.due(endpoint))],
      health: { anySuccess: false, consecutiveFailures: 4, openForMs: null },
      tokens: 2.5,
    });
    await turns.age(endpoint, `tokens_at = now() - interval '10 seconds'`);
    const taken = await turns.take(one, { endpoint, epoch: 1 });
    expect(taken).toMatchObject({ consecutiveFailures: 4, tokens: 2.5 });
    expect(taken?.tokensAgeMs).toBeGreaterThan(9_999);
  });
});

describe('an endpoint that wants order', () => {
  test('is handed the first of each line, whatever its lane, and the next once that has ended', async () => {
    const ordered = await turns.endpoint({ ordered: true });
    const [line, another] = [turns.worker() as StreamId, turns.worker() as StreamId];
    const [first, second] = [await turns.due(ordered, { line }), await turns.due(ordered, { line, lane: 0 })];
    const alone = await turns.due(ordered, { line: another });
    const free = await turns.due(ordered);
    expect(await turns.handed(one, ordered)).toEqual([first, alone, free]);
    expect(await turns.handed(one, ordered, { epoch: 1 })).toEqual([]);
    await turns.say(one, { endpoint: ordered, epoch: 1, attempts: [rejected(first, { retryInMs: 3_600_000 })] });
    expect(await turns.handed(one, ordered, { epoch: 1 })).toEqual([]);
    await turns.pool.query('update delivery set due_at = now() where id = $1', [first]);
    expect(await turns.handed(one, ordered, { epoch: 1 })).toEqual([first]);
    await turns.say(one, { endpoint: ordered, epoch: 1, attempts: [delivered(first)] });
    expect(await turns.handed(one, ordered, { epoch: 1 })).toEqual([second]);
  });

  test('waits for nobody else in the same line', async () => {
    const ordered = await turns.endpoint({ ordered: true });
    const line = turns.worker() as StreamId;
    await turns.due(endpoint, { line });
    const mine = await turns.due(ordered, { line });
    expect(await turns.handed(one, ordered)).toEqual([mine]);
  });
});
