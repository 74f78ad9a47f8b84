import { type Database, type RunnerOptions, runSubscriptions, type Transaction, transaction } from '@grantlog/postgres';
import {
  deleteOldCheckpoints,
  ensureGenerations,
  type Generations,
  type Projection,
  subscriptionName,
  subscriptionOf,
  swapIfCaughtUp,
} from '@grantlog/read-models';

/** Rows of old generations deleted in one transaction. */
const deleteChunk = 5_000;

const generationsToRun = (generations: readonly Generations[], version: number): readonly number[] => {
  const wanted = generations.flatMap(({ live, building, buildingVersion }) =>
    // A generation of newer code is not ours to write.
    building !== null && (buildingVersion ?? 0) <= version ? [live, building] : [live],
  );
  return [...new Set(wanted)].sort((a, b) => a - b);
};

/** A platform without events has no batch in which a rebuild could end. */
const swapIdle = async (client: Transaction, name: string, generations: readonly Generations[]): Promise<void> => {
  for (const { platform, building } of generations) {
    if (building === null) continue;
    const { rows } = await client.query<{ position: number }>(
      'select position from subscription where name = $1 and platform = $2 for update skip locked',
      [subscriptionName(name, building), platform],
    );
    const position = rows[0]?.position;
    if (position !== undefined) await swapIfCaughtUp(client, { name, platform, generation: building, position });
  }
};

/**
 * Runs every generation of the projections that some platform reads or builds, starts rebuilds that newer code wants,
 * and clears away what was swapped out. Any number of processes may run it.
 */
export const runProjections = (options: {
  readonly pool: Database;
  readonly projections: readonly Projection[];
  readonly runner: Omit<RunnerOptions, 'pool' | 'subscriptions'>;
  /** Milliseconds between looks at the generations. Default 1,000. */
  readonly lookEvery?: number;
  readonly onError: (error: unknown) => void;
}): { readonly stop: () => Promise<void> } => {
  const { pool, projections } = options;
  let running: { readonly key: string; readonly runner: ReturnType<typeof runSubscriptions> } | null = null;
  /** The generation below which nothing is left, so that it is not looked for every second. */
  const cleared = new Map<string, number>();
  let stopping = false;
  let rouse: () => void = () => {};

  const look = async (): Promise<void> => {
    const subscriptions = [];
    for (const projection of projections) {
      const generations = await transaction(pool, async (client) => {
        const found = await ensureGenerations(client, projection);
        await deleteOldCheckpoints(client, projection.name);
        return found;
      });
      await transaction(pool, (client) => swapIdle(client, projection.name, generations));
      for (const { platform, live } of generations) {
        const place = `${projection.name} ${platform}`;
        if (cleared.get(place) === live) continue;
        const deleted = await transaction(pool, (client) =>
          projection.deleteBelow(client, { platform, generation: live, limit: deleteChunk }),
        );
        if (deleted === 0) cleared.set(place, live);
      }
      subscriptions.push(...generationsToRun(generations, projection.version).map((generation) => subscriptionOf(projection, generation)));
    }
    const key = subscriptions.map(({ name }) => name).join(' ');
    if (running?.key === key || stopping) return;
    await running?.runner.stop();
    running = { key, runner: runSubscriptions({ ...options.runner, pool, subscriptions }) };
  };

  const loop = async (): Promise<void> => {
    while (!stopping) {
      await look().catch(options.onError);
      if (stopping) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, options.lookEvery ?? 1_000);
        rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopping = true;
      rouse();
      await looping;
      await running?.runner.stop();
    },
  };
};
