import type { Lane, TakenDelivery } from '@grantlog/postgres';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { deliveryRules } from '../src/webhooks/rules.ts';
import { deliveriesOf, deliveryOf, receiverOf, rejected, setStage } from './support/stage.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const revocation = deliveryOf('revocation', { lane: 0 });
const wake = { revocation: 0, first: 1 } as const satisfies Record<string, Lane>;

describe('a turn', () => {
  test('takes what is due, sends it, records it, and ends when nothing is due any more', async () => {
    const stage = setStage();
    expect(stage.takes.asked).toEqual([expect.objectContaining({ epoch: 0, room: deliveryRules.takeLimit })]);
    await stage.hand([deliveryOf('a')]);
    expect(stage.inTheAir()).toEqual(['a']);
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ epoch: 1, end: 'asks', attempts: [{ id: 'a', outcome: 'delivered' }] }]);
    await stage.record();
    expect(stage.recorded).toMatchObject([{ ended: [{ delivery: { id: 'a' } }] }]);
    expect(stage.end()).toBe('done');
  });

  test('asks again where it got all that it had room for, and where something is due after all', async () => {
    const stage = setStage({ receiver: receiverOf({ concurrency: 2 }), rules: { takeLimit: 4 } });
    await stage.hand(deliveriesOf(4));
    expect(stage.takes.open).toHaveLength(0);
    await stage.arrive();
    expect(stage.takes.asked.at(-1)).toMatchObject({ epoch: 1, room: 4 });
    await stage.hand([]);
    for (let left = 0; left < 3; left += 1) await stage.arrive();
    expect(stage.reports.asked.at(-1)).toMatchObject({ end: 'asks' });
    await stage.record({ held: true });
    expect(stage.takes.open).toHaveLength(1);
    await stage.hand([]);
    await stage.record();
    expect(stage.end()).toBe('done');
  });

  test('has no more in the air than its endpoint takes, and than it has shown to answer', async () => {
    const stage = setStage({ receiver: receiverOf({ concurrency: 3 }) });
    await stage.hand(deliveriesOf(10));
    for (const atOnce of [2, 3, 3]) {
      expect(stage.inTheAir()).toHaveLength(atOnce);
      await stage.arrive();
    }
    expect(stage.freeSlots()).toBe(100 - 3);
  });

  test('probes an endpoint that failed before with one request', async () => {
    const stage = setStage();
    await stage.hand(deliveriesOf(5), { consecutiveFailures: 3 });
    expect(stage.inTheAir()).toHaveLength(1);
    await stage.arrive(rejected);
    expect(stage.inTheAir()).toHaveLength(1);
    await stage.arrive();
    expect(stage.inTheAir()).toHaveLength(2);
  });

  test('knows by itself how its endpoint answers, once it has begun', async () => {
    const stage = setStage();
    await stage.hand(deliveriesOf(5), { consecutiveFailures: 3 });
    await stage.arrive();
    stage.turn.wake(wake.first);
    await stage.hand([], { consecutiveFailures: 3 });
    await stage.arrive();
    expect(stage.inTheAir()).toHaveLength(3);
  });

  test('records what ends within a moment together, and waits no longer for the rest', async () => {
    const stage = setStage();
    await stage.hand(deliveriesOf(5));
    await stage.arrive();
    await stage.arrive();
    expect(stage.reports.asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(stage.reports.asked).toMatchObject([{ end: 'stays', attempts: [{ id: '1-0' }, { id: '1-1' }] }]);
    await stage.record();
    expect(stage.end()).toBeNull();
  });

  test('records at once what is enough for one report', async () => {
    const stage = setStage({ receiver: receiverOf({ concurrency: 1 }) });
    await stage.hand(deliveriesOf(64));
    for (let ended = 0; ended < 31; ended += 1) await stage.arrive();
    expect(stage.reports.asked).toEqual([]);
    await stage.arrive();
    expect(stage.reports.asked.map(({ attempts }) => attempts.length)).toEqual([32]);
  });

  test('makes one report at a time, however long it takes', async () => {
    const stage = setStage();
    await stage.hand(deliveriesOf(5));
    await stage.arrive();
    await vi.advanceTimersByTimeAsync(10);
    await stage.arrive();
    await vi.advanceTimersByTimeAsync(5_000);
    stage.turn.tick();
    await stage.settle();
    expect(stage.reports.asked).toHaveLength(1);
  });
});

describe('an endpoint that wants order', () => {
  test('is recorded after each attempt, and the next of its line is fetched at once', async () => {
    const stage = setStage({ receiver: receiverOf({ ordered: true }) });
    await stage.hand([deliveryOf('first of a line'), deliveryOf('of another line')]);
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ end: 'stays', attempts: [{ id: 'first of a line' }] }]);
    expect(stage.takes.open).toHaveLength(0);
    await stage.record();
    expect(stage.takes.open).toHaveLength(1);
    await stage.hand([deliveryOf('second of the line')]);
    expect(stage.inTheAir()).toEqual(['of another line', 'second of the line']);
  });
});

describe('a revocation that is woken', () => {
  const busy = async (waiting: readonly TakenDelivery[]) => {
    const stage = setStage({ receiver: receiverOf({ concurrency: 1 }) });
    await stage.hand(waiting);
    return stage;
  };

  test('is fetched while much else waits, and goes before it', async () => {
    const stage = await busy(deliveriesOf(60));
    stage.turn.wake(wake.revocation);
    expect(stage.takes.asked.at(-1)).toMatchObject({ room: 16 });
    await stage.hand([revocation, ...deliveriesOf(3, { lane: 2 })]);
    expect(stage.takes.open).toHaveLength(0);
    await stage.arrive();
    expect(stage.inTheAir()).toEqual(['revocation']);
    await stage.arrive();
    expect(stage.inTheAir()).toEqual(['1-1']);
  });

  test('while others are being fetched is asked for once they have come', async () => {
    const stage = setStage({ receiver: receiverOf({ concurrency: 1 }) });
    stage.turn.wake(wake.revocation);
    await stage.hand(deliveriesOf(60));
    expect(stage.takes.open).toHaveLength(1);
    await stage.hand([revocation]);
    await stage.arrive();
    expect(stage.inTheAir()).toEqual(['revocation']);
  });

  test('elsewhere is fetched as soon as the holder hears that he is wanted', async () => {
    const stage = await busy(deliveriesOf(60));
    await stage.arrive();
    await vi.advanceTimersByTimeAsync(10);
    expect(stage.takes.open).toHaveLength(0);
    await stage.record({ isWanted: true });
    expect(stage.takes.asked.at(-1)).toMatchObject({ room: 16 });
  });

  test('is not fetched beyond what can wait in memory, and then once there is room', async () => {
    const stage = await busy(deliveriesOf(64));
    for (let from = 0; from < 13; from += 1) {
      stage.turn.wake(wake.revocation);
      await stage.hand(deliveriesOf(16, { lane: 0, from: 16 * from }));
    }
    // 63 of the first, of which one is in the air, and thirteen times sixteen.
    stage.turn.wake(wake.revocation);
    expect(stage.takes.open).toHaveLength(0);
    for (let ended = 0; ended < 16; ended += 1) await stage.arrive();
    expect(stage.takes.asked.at(-1)).toMatchObject({ room: 16 });
    expect(stage.takes.open).toHaveLength(1);
  });

  test('waits for nothing but another word where other work is woken as well', async () => {
    const stage = await busy(deliveriesOf(60));
    stage.turn.wake(wake.first);
    expect(stage.takes.open).toHaveLength(0);
  });

  test('gets the next slot of the process, before what asked for it earlier', async () => {
    const stage = setStage({ slots: 1 });
    await stage.hand(deliveriesOf(2));
    stage.turn.wake(wake.revocation);
    await stage.hand([revocation]);
    const others: string[] = [];
    stage.slots.take(2, 0, () => others.push('a retry of another endpoint'));
    await stage.arrive();
    expect(stage.inTheAir()).toEqual(['revocation']);
    expect(others).toEqual([]);
  });
});

describe('an endpoint that names a rate', () => {
  const limited = receiverOf({ ratePerSecond: 2, concurrency: 50 });

  test('gets no more at once than a second of it, and the rest when there are tokens', async () => {
    const stage = setStage({ receiver: limited });
    await stage.hand(deliveriesOf(4));
    expect(stage.inTheAir()).toHaveLength(2);
    await stage.arrive();
    await stage.arrive();
    expect(stage.inTheAir()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(499);
    expect(stage.inTheAir()).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(stage.inTheAir()).toHaveLength(1);
  });

  test('keeps no slot while it waits for a token', async () => {
    const stage = setStage({ receiver: limited });
    await stage.hand(deliveriesOf(4));
    expect(stage.freeSlots()).toBe(98);
  });

  test('goes on with the tokens that were left, and says how many are', async () => {
    const stage = setStage({ receiver: limited });
    stage.takes.oldest().answer({
      epoch: 1,
      isOpen: false,
      consecutiveFailures: 0,
      tokens: 0,
      tokensAgeMs: 500,
      lost: 0,
      deliveries: deliveriesOf(2),
    });
    await stage.settle();
    expect(stage.inTheAir()).toHaveLength(1);
    await stage.arrive();
    await vi.advanceTimersByTimeAsync(10);
    expect(stage.reports.asked).toMatchObject([{ tokens: 0.02 }]);
  });

  test('is handed no more at once than a second of it', async () => {
    const stage = setStage({ receiver: limited });
    await stage.hand(deliveriesOf(3));
    stage.turn.wake(wake.first);
    expect(stage.takes.asked.at(-1)).toMatchObject({ room: 2 });
  });

  test.each([null, 50])('instead of %s is held to it from when it is known', async (ratePerSecond) => {
    const stage = setStage({ receiver: receiverOf({ ratePerSecond }) });
    await stage.hand([deliveryOf('a')]);
    stage.change(receiverOf({ ratePerSecond: 1 }));
    stage.turn.wake(wake.first);
    await stage.hand(deliveriesOf(3));
    expect(stage.inTheAir()).toEqual(['a', '1-0']);
    await stage.arrive();
    expect(stage.inTheAir()).toEqual(['1-0']);
  });
});
