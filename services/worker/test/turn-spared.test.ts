import { describe, expect, test, vi } from 'vitest';
import { deliveriesOf, deliveryOf, receiverOf, rejected, type Stage, useStages } from './support/stage.ts';

const open = useStages();
const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('an endpoint that must not be spoken to', () => {
  test('gets nothing, and its turn is given back', async () => {
    const stage = open({ receiver: null });
    await stage.hand(deliveriesOf(3));
    expect(stage.reports.asked).toMatchObject([{ end: 'leaves', attempts: [] }]);
    await stage.record();
    expect(stage.requests.asked).toEqual([]);
  });

  test('gets nothing while its circuit is open', async () => {
    const stage = open();
    await stage.hand([], { isOpen: true });
    expect(stage.reports.asked).toMatchObject([{ end: 'leaves' }]);
    await stage.record();
  });

  test.each([false, true])(
    'gets nothing but proofs while it does not hear all, whatever was handed out (verified: %s)',
    async (verified) => {
      const stage = open({ receiver: receiverOf({ verified, hearsAll: false }) });
      await stage.hand([deliveryOf('proof', { proves: true }), deliveryOf('a')]);
      expect(stage.reports.asked).toMatchObject([{ end: 'leaves' }]);
      await stage.record();
      expect(stage.requests.asked).toEqual([]);
    },
  );

  test('from now on is told of what is in the air still, and of nothing that waits', async () => {
    const stage = open({ receiver: receiverOf({ concurrency: 1 }) });
    await stage.hand(deliveriesOf(10));
    stage.change(null);
    stage.turn.wake(1);
    await stage.hand([]);
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ end: 'leaves', attempts: [{ id: '1-0' }] }]);
    await stage.record();
    expect(stage.requests.asked).toHaveLength(1);
  });
});

describe('an endpoint that is changed while much waits for it', () => {
  const slow = { receiver: receiverOf({ concurrency: 1 }), rules: { renewMs: 2_000 } };
  /** Nothing is fetched for long, and then an outcome is recorded. */
  const afterAWhile = async (stage: Stage): Promise<void> => {
    await later(2_001);
    await stage.arrive();
    await later(10);
    expect(stage.takes.asked).toHaveLength(1);
    await stage.record();
  };

  test('gets nothing more of it once it must not be spoken to', async () => {
    const stage = open(slow);
    await stage.hand(deliveriesOf(60));
    stage.change(null);
    await afterAWhile(stage);
    await stage.arrive();
    expect(stage.reports.asked.at(-1)).toMatchObject({ end: 'leaves' });
    await stage.record();
    expect(stage.requests.asked).toHaveLength(2);
  });

  test('gets it where it is now, and as it wants it', async () => {
    const stage = open(slow);
    await stage.hand(deliveriesOf(60));
    stage.change(receiverOf({ url: 'https://moved.example/', concurrency: 1, ratePerSecond: 1 }));
    await afterAWhile(stage);
    await stage.arrive();
    await stage.arrive();
    expect(stage.requests.asked.map(({ to }) => to.url)).toEqual([
      'https://receiver.example/hook',
      'https://receiver.example/hook',
      'https://moved.example/',
    ]);
    stage.stop();
    await later(10);
    await stage.record();
    await stage.record();
  });
});

describe('a circuit that opens', () => {
  test('while others are in the air lets them end, begins nothing more, and is recorded as the last of them leaves it', async () => {
    const stage = open({ rules: { circuit: { openAfter: 1, base: 15_000, most: 300_000 } } });
    await stage.hand(deliveriesOf(10));
    await stage.arrive(rejected);
    expect(stage.inTheAir()).toEqual(['1-1']);
    expect(stage.reports.asked).toMatchObject([{ end: 'stays', health: { openForMs: 15_000, consecutiveFailures: 1 } }]);
    await stage.record();
    await stage.arrive(rejected);
    expect(stage.reports.asked[1]).toMatchObject({ end: 'leaves', health: { openForMs: 30_000, consecutiveFailures: 2 } });
    await stage.record();
    expect(stage.end()).toBe('done');
  });

  test('for a receiver that asks for patience stays open though another request ends well', async () => {
    const stage = open();
    await stage.hand(deliveriesOf(10));
    await stage.arrive({ ...rejected, pauseMs: 600_000 });
    await stage.record();
    await stage.arrive();
    expect(stage.reports.asked[1]).toMatchObject({ end: 'leaves', health: { openForMs: 600_000, anySuccess: true } });
    await stage.record();
  });
});
