import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import { logChannel } from '../log/notifier.ts';
import { ensureSubscriptions } from './claim.ts';
import type { ConsumeOutcome } from './consume.ts';
import { consumeOnce } from './consume.ts';
import { listenTo } from './listen.ts';
import { createReadAhead } from './read-ahead.ts';
import type { Subscription } from './subscription.ts';

export type RunnerOptions = {
  readonly pool: pg.Pool;
  /** Where to LISTEN: the direct URL where there is one. Null to poll only. */
  readonly listenUrl: string | null;
  readonly subscriptions: readonly Subscription[];
  /** Loops that claim and work side by side. Default 2. */
  readonly parallel?: number;
  /** Milliseconds between polls without a wake-up. Default 200; a lost wake-up costs this much, never an event. */
  readonly pollEvery?: number;
  readonly onFailure: (failure: { readonly name: string; readonly platform: PlatformId | null; readonly error: unknown }) => void;
  readonly onConsumed?: (outcome: Extract<ConsumeOutcome, { kind: 'consumed' }>) => void;
};

/** Runs subscriptions until stopped; any number of processes may run the same ones. */
export const runSubscriptions = (options: RunnerOptions): { readonly wake: () => void; readonly stop: () => Promise<void> } => {
  const { pool, subscriptions, parallel = 2, pollEvery = 200 } = options;
  const names = subscriptions.map((subscription) => subscription.name);
  const sleepers = new Set<() => void>();
  let stopping = false;
  let wakes = 0;
  let ensuredAt = Number.NEGATIVE_INFINITY;

  const wake = (): void => {
    wakes += 1;
    for (const rouse of sleepers) rouse();
  };
  const sleep = (heard: number): Promise<void> =>
    new Promise((resolve) => {
      if (stopping || wakes !== heard) return resolve();
      const rouse = (): void => {
        clearTimeout(timer);
        sleepers.delete(rouse);
        resolve();
      };
      const timer = setTimeout(rouse, pollEvery * (0.75 + Math.random() / 2));
      sleepers.add(rouse);
    });

  const loop = async (): Promise<void> => {
    const readAhead = createReadAhead(pool);
    while (!stopping) {
      const heard = wakes;
      try {
        const outcome = await consumeOnce(pool, subscriptions, readAhead);
        if (outcome.kind === 'consumed') {
          options.onConsumed?.(outcome);
          continue;
        }
        if (outcome.kind === 'failed')
          options.onFailure({ name: outcome.claim.name, platform: outcome.claim.platform, error: outcome.error });
        // A platform that is new has no checkpoint yet, and so nothing to claim. One poll late is soon enough for it.
        if (outcome.kind === 'idle' && performance.now() - ensuredAt > pollEvery) {
          ensuredAt = performance.now();
          if ((await ensureSubscriptions(pool, names)) > 0) continue;
        }
      } catch (error) {
        options.onFailure({ name: 'subscriptions', platform: null, error });
      }
      await sleep(heard);
    }
  };

  const listener =
    options.listenUrl === null
      ? null
      : listenTo({
          channel: logChannel,
          connectionString: options.listenUrl,
          onWake: wake,
          onError: (error) => options.onFailure({ name: 'listen', platform: null, error }),
        });
  const loops = Array.from({ length: parallel }, loop);
  return {
    wake,
    stop: async () => {
      stopping = true;
      wake();
      await Promise.all([...loops, listener?.stop()]);
    },
  };
};
