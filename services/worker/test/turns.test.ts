import { createSealer, randomUuid, standingId } from '@grantlog/crypto';
import { standingKinds } from '@grantlog/domain';
import type { EventLog, PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';
import { expect, test } from 'vitest';
import { deliveryRules } from '../src/webhooks/rules.ts';
import { createTurns } from '../src/webhooks/turns.ts';

/** A database in which every turn is somebody else's, and which says so when the test wants it to. */
const openSlowDatabase = () => {
  let isSlow = true;
  let answer = (): void => {};
  const asked = (): Promise<void> =>
    new Promise((resolve) => {
      answer = resolve;
      if (!isSlow) resolve();
    });
  return {
    pool: {
      query: async ({ name }: { readonly name: string }) => {
        if (name === 'grantlog.take-deliveries') await asked();
        return { rows: [] };
      },
      // Nothing but queries is asked of it here.
    } as unknown as Database,
    hurry: (): void => {
      isSlow = false;
      answer();
    },
  };
};

test('a process serves four thousand endpoints at once, and thousands that wait as room is made for them', async () => {
  const { pool, hurry } = openSlowDatabase();
  const opened = new Set<StreamId>();
  const log = {
    load: async (_: PlatformId, [first]: readonly { readonly streamId: StreamId }[]) => {
      if (first !== undefined) opened.add(first.streamId);
      throw new Error('nothing is opened here');
    },
  } as unknown as EventLog;
  const ignore = (): void => {};
  const turns = createTurns({
    pool,
    log,
    worker: randomUuid(),
    sealer: createSealer(['a-secret-of-the-test-run-long-enough']),
    queue: { wake: async () => {} },
    egress: { request: () => Promise.reject(new Error('nothing is sent here')) },
    rules: deliveryRules,
    now: Date.now,
    random: Math.random,
    publicUrl: 'http://localhost:4000',
    onAttempt: ignore,
    onCrowded: ignore,
    onLost: ignore,
    onEndpoint: ignore,
    onError: ignore,
  });
  const wakes = Array.from({ length: 6_400 }, () =>
    turns.wake({ platform: 'arlo' as PlatformId, endpoint: standingId(standingKinds.webhookEndpoint) as StreamId, lane: 1 }),
  );
  while (opened.size < 4_000) await new Promise((resolve) => setImmediate(resolve));
  for (let loops = 0; loops < 100; loops += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(opened.size).toBe(4_000);
  hurry();
  await Promise.all(wakes);
  while (opened.size < 6_400) await new Promise((resolve) => setImmediate(resolve));
  await turns.stop();
});
