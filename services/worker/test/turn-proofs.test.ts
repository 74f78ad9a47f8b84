import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { deliveryOf, receiverOf, rejected, setStage } from './support/stage.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('what another URL answered', () => {
  const proof = deliveryOf('proof', { proves: true });
  const [before, after] = ['https://before.example/', 'https://after.example/'].map((url) =>
    receiverOf({ url, verified: false, hearsAll: false }),
  );

  /** The proof of the URL before is in the air while the one after is chosen. */
  const changedInMidAir = async () => {
    const stage = setStage({ receiver: before ?? null });
    await stage.hand([proof]);
    stage.change(after ?? null);
    stage.turn.wake(1);
    await stage.hand([]);
    return stage;
  };

  test('proves nothing of the one that the endpoint has by now', async () => {
    const stage = await changedInMidAir();
    await stage.arrive();
    expect(stage.reports.asked).toMatchObject([{ attempts: [{ id: 'proof' }] }]);
    expect(stage.proofs).toEqual([]);
  });

  test('neither disables nor warns of it', async () => {
    const stage = await changedInMidAir();
    await stage.arrive({ outcome: 'gone', state: 'failed', disable: true });
    await stage.record();
    expect(stage.recorded).toEqual([]);
    expect(stage.end()).toBe('done');
  });

  test('proves it where it is the same', async () => {
    const stage = setStage({ receiver: before ?? null });
    await stage.hand([proof]);
    await stage.arrive();
    expect(stage.proofs).toEqual([{ url: before?.url, proved: true }]);
  });
});

describe('a URL', () => {
  const unproved = receiverOf({ verified: false, hearsAll: false });

  test('is not proved by an answer that is no success', async () => {
    const stage = setStage({ receiver: unproved });
    await stage.hand([deliveryOf('proof', { proves: true })]);
    await stage.arrive(rejected);
    expect(stage.proofs).toEqual([{ url: unproved.url, proved: false }]);
  });

  test('is not proved by the success of what was sent when it counted as proved', async () => {
    const stage = setStage();
    await stage.hand([deliveryOf('a')]);
    stage.change(unproved);
    stage.turn.wake(1);
    await stage.hand([]);
    await stage.arrive();
    expect(stage.proofs).toEqual([{ url: unproved.url, proved: false }]);
  });
});
