import { describe, expect, test, vi } from 'vitest';
import { deliveriesOf, deliveryOf, receiverOf, rejected, useStages } from './support/stage.ts';

const open = useStages();
const later = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a turn that somebody else has', () => {
  test('is over at once where it could not begin, and nothing was sent', async () => {
    const stage = open();
    stage.takes.oldest().answer(null);
    await stage.settle();
    expect(stage.end()).toBe('done');
    expect(stage.requests.asked).toEqual([]);
  });

  test('is over when it asks for more and hears so, whatever is in the air', async () => {
    const stage = open();
    await stage.hand(deliveriesOf(2));
    await stage.arrive();
    stage.turn.wake(1);
    stage.takes.oldest().answer(null);
    await stage.settle();
    expect(stage.end()).toBe('done');
    await stage.arrive();
    expect(stage.reports.asked).toEqual([]);
  });

  test('is over when it reports and hears so, and nothing follows for the endpoint', async () => {
    const stage = open();
    await stage.hand(deliveriesOf(2));
    await stage.arrive({ ...rejected, disable: true });
    stage.reports.oldest().answer(null);
    await stage.settle();
    expect(stage.end()).toBe('done');
    expect(stage.recorded).toEqual([]);
  });

  test('is not begun anew before its last question is answered, lest one statement take an endpoint twice', async () => {
    const stage = open();
    await stage.hand(deliveriesOf(2));
    await stage.arrive();
    await later(10);
    stage.turn.wake(1);
    stage.reports.oldest().answer(null);
    await stage.settle();
    expect(stage.end()).toBeNull();
    stage.takes.oldest().answer(null);
    await stage.settle();
    expect(stage.end()).toBe('done');
  });

  test('begins no request once the lease may have run out, and goes on when it is held again', async () => {
    const stage = open({ receiver: receiverOf({ concurrency: 1 }), rules: { holdMs: 1_000 } });
    await stage.hand(deliveriesOf(3));
    await later(900);
    await stage.arrive();
    expect(stage.inTheAir()).toEqual([]);
    await later(10);
    await stage.record();
    expect(stage.inTheAir()).toEqual(['1-1']);
    stage.stop();
    await stage.arrive();
    await stage.record();
  });
});

describe('a trouble of our own', () => {
  test('with fetching ends the turn when what is in the air has been told of', async () => {
    const stage = open();
    await stage.hand(deliveriesOf(3));
    stage.turn.wake(1);
    stage.takes.oldest().fail(new Error('the database is away'));
    await stage.settle();
    expect(stage.end()).toBeNull();
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ end: 'stays', attempts: [{ id: '1-0' }] }]);
    await stage.record();
    await stage.arrive();
    expect(stage.reports.asked[1]).toMatchObject({ end: 'leaves', attempts: [{ id: '1-1' }] });
    await stage.record();
    expect(stage.end()).toBe('done');
    expect(stage.errors).toHaveLength(1);
  });

  test('with the first question ends the turn without another one', async () => {
    const stage = open();
    stage.takes.oldest().fail(new Error('the database is away'));
    await stage.settle();
    expect(stage.end()).toBe('done');
    expect(stage.reports.asked).toEqual([]);
  });

  test('with recording ends the turn at once: what is in the air is lost with it', async () => {
    const stage = open();
    await stage.hand(deliveriesOf(2));
    await stage.arrive();
    await later(10);
    stage.reports.oldest().fail(new Error('the database is away'));
    await stage.settle();
    expect(stage.end()).toBe('done');
    await stage.arrive();
    expect(stage.reports.asked).toHaveLength(1);
    expect(stage.errors).toHaveLength(1);
  });

  test('with a proof that cannot be noted records none of it', async () => {
    const beforeRecord = () => Promise.reject(new Error('the log is away'));
    const stage = open({ receiver: receiverOf({ verified: false, hearsAll: false }), context: { beforeRecord } });
    await stage.hand([deliveryOf('a', { proves: true })]);
    await stage.arrive();
    expect(stage.end()).toBe('done');
    expect(stage.reports.asked).toEqual([]);
  });

  test('with what follows for the endpoint loses nothing of what is in the air', async () => {
    const afterRecord = () => Promise.reject(new Error('the log is away'));
    const stage = open({ context: { afterRecord } });
    await stage.hand(deliveriesOf(3));
    await stage.arrive();
    await later(10);
    await stage.record();
    expect(stage.end()).toBeNull();
    await stage.arrive();
    expect(stage.reports.asked[1]).toMatchObject({ end: 'stays', attempts: [{ id: '1-1' }] });
    await stage.record();
    await stage.arrive();
    await stage.record();
    expect(stage.end()).toBe('done');
  });

  test('with one delivery holds up no other, fetches nothing more, and gives that one back', async () => {
    const stage = open({ receiver: receiverOf({ concurrency: 2 }) });
    await stage.hand(deliveriesOf(3));
    stage.requests.oldest().fail(new Error('its message is not there'));
    await stage.settle();
    expect(stage.inTheAir()).toEqual(['1-1', '1-2']);
    expect(stage.turn.wake(0)).toBe(false);
    await stage.arrive();
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ end: 'leaves', attempts: [{ id: '1-1' }, { id: '1-2' }] }]);
    await stage.record();
    expect(stage.troubles).toHaveLength(1);
    expect(stage.takes.asked).toHaveLength(1);
  });

  test('with too much else under way gives everything back that is not in the air', async () => {
    const stage = open({ receiver: receiverOf({ concurrency: 2 }) });
    await stage.hand(deliveriesOf(4));
    stage.requests.oldest().answer(null);
    await stage.settle();
    expect(stage.inTheAir()).toEqual(['1-1']);
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ end: 'leaves', attempts: [{ id: '1-1' }] }]);
    await stage.record();
    expect(stage.crowded()).toBe(1);
    expect(stage.requests.asked).toHaveLength(2);
  });

  test('with opening the endpoint gives everything back untried', async () => {
    const stage = open({ context: { open: () => Promise.reject(new Error('no key opens it')) } });
    await stage.hand(deliveriesOf(3));
    expect(stage.reports.asked).toMatchObject([{ end: 'leaves', attempts: [], health: null }]);
    await stage.record();
    expect(stage.requests.asked).toEqual([]);
  });
});

describe('a turn', () => {
  test('of a process that stops in mid-air ends what is begun, gives back the rest, and is over', async () => {
    const stage = open({ receiver: receiverOf({ concurrency: 2 }) });
    await stage.hand(deliveriesOf(10));
    stage.stop();
    stage.turn.tick();
    await stage.arrive();
    expect(stage.inTheAir()).toEqual(['1-1']);
    await stage.record();
    await stage.arrive();
    expect(stage.reports.asked[1]).toMatchObject({ end: 'leaves' });
    await stage.record();
    expect(stage.end()).toBe('done');
    expect(stage.requests.asked).toHaveLength(2);
  });

  test('whose time is up says so where work is left, and not where none is', async () => {
    for (const [waiting, end] of [
      [5, 'its_time'],
      [1, 'done'],
    ] as const) {
      const stage = open({ receiver: receiverOf({ concurrency: 1 }), rules: { turnMs: 1_000, askMs: 5_000 } });
      await stage.hand(deliveriesOf(waiting));
      await later(1_001);
      stage.turn.tick();
      await stage.arrive();
      expect(stage.reports.asked.at(-1)).toMatchObject({ end: 'leaves' });
      await stage.record();
      expect(stage.end()).toBe(end);
    }
  });

  test('whose time is up says so to whoever was woken meanwhile, here or elsewhere', async () => {
    for (const wakeUp of [
      { here: true, isWanted: false },
      { here: false, isWanted: true },
    ]) {
      const stage = open({ rules: { turnMs: 1_000, askMs: 5_000 } });
      await stage.hand([deliveryOf('a')]);
      await later(1_001);
      stage.turn.tick();
      if (wakeUp.here) expect(stage.turn.wake(1)).toBe(false);
      await stage.arrive();
      await stage.record({ isWanted: wakeUp.isWanted });
      expect(stage.end()).toBe('its_time');
    }
  });

  test('that is woken while it asks whether it may end is not forgotten', async () => {
    const stage = open();
    await stage.hand([]);
    expect(stage.reports.open).toMatchObject([{ question: { end: 'asks' } }]);
    expect(stage.turn.wake(1)).toBe(true);
    await stage.record();
    expect(stage.end()).toBe('its_time');
  });

  test('with nothing else to say holds on: often while it could send at once, seldom while much waits', async () => {
    for (const [waiting, silence] of [
      [1, 250],
      [5, 2_000],
    ] as const) {
      const stage = open({ receiver: receiverOf({ concurrency: 1 }), rules: { askMs: 250, renewMs: 2_000 } });
      await stage.hand(deliveriesOf(waiting));
      await later(silence);
      stage.turn.tick();
      expect(stage.reports.asked).toEqual([]);
      await later(1);
      stage.turn.tick();
      expect(stage.reports.asked).toMatchObject([{ end: 'stays', attempts: [], health: null }]);
      await stage.record();
      stage.stop();
      await stage.arrive();
      await stage.record();
    }
  });

  test('that waits for a slot or a token when it ends keeps neither', async () => {
    const stage = open({ receiver: receiverOf({ ratePerSecond: 1 }) });
    await stage.hand(deliveriesOf(3));
    await stage.arrive();
    await later(10);
    stage.reports.oldest().answer(null);
    await stage.settle();
    expect(stage.end()).toBe('done');
    await later(5_000);
    expect(stage.requests.asked).toHaveLength(1);
  });
});
