import type { Sealer } from '@grantlog/crypto';
import { clientDecider, keyRingDecider, keyRingStream, platformDecider, platformStream } from '@grantlog/domain';
import type { EventLog, PlatformId } from '@grantlog/eventsourcing';
import { type Pool, readHead } from '@grantlog/postgres';
import { createRandom } from '../../recovery/log/random.ts';
import { registerClient } from './client-life.ts';
import { foundPlatform, unidentifiedClient } from './found-platform.ts';
import { liveOperator } from './operator-life.ts';
import { livePerson } from './person-life.ts';
import { createRecorder } from './recorder.ts';
import { openStream } from './stream.ts';
import type { Made, World } from './world.ts';

/** What stands after a generation. Positions of the platform's log count from 1 up to `head`. */
export type History = Made & { readonly platform: PlatformId; readonly head: number; readonly seconds: number };

export type Generation = {
  readonly log: EventLog;
  /** As the API's role. */
  readonly pool: Pool;
  readonly sealer: Sealer;
  /** A platform that is not in the log yet. */
  readonly platform: PlatformId;
  /** As many at least; what is under way when they stand goes to its end. */
  readonly events: number;
  /**
   * The same seed has people come, allow, refuse and lose the same. Ids and times are the log's own, and so is what follows from
   * whose commit was first, such as whom somebody meets.
   */
  readonly seed: number;
  /** Told how many events stand. */
  readonly onProgress?: (events: number) => void;
};

/**
 * A history of one platform, made by the domain itself: accounts, clients, sign-ins, sessions, grants and endpoints live side by
 * side, each event comes from its aggregate's decider on what stands, and goes through the real log.
 */
export const generate = async (options: Generation): Promise<History> => {
  const { log, pool, sealer, platform, events, seed } = options;
  const began = performance.now();
  const names = await foundPlatform({ log, pool, sealer, platform });
  const preset = names.client(unidentifiedClient);
  const loaded = await log.load(
    platform,
    [platformStream, keyRingStream, preset].map((streamId) => ({ streamId })),
  );
  let recorded = await readHead(pool, platform);
  const { record } = createRecorder({
    log,
    platform,
    onRecorded: (count) => {
      recorded += count;
      options.onProgress?.(recorded);
    },
  });
  const open = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const made: World['made'] = { accounts: [], clients: [preset], grants: [], sessions: [], signIns: [], endpoints: [] };
  const world: World = {
    platform,
    pool,
    sealer,
    names,
    record,
    own: openStream(platformDecider, platformStream, loaded.stream(platformStream)),
    ring: openStream(keyRingDecider, keyRingStream, loaded.stream(keyRingStream)),
    clients: [{ clientId: unidentifiedClient as never, id: preset, stream: openStream(clientDecider, preset, loaded.stream(preset)) }],
    made,
    isOver: () => recorded >= events || failures.length > 0,
    beside: (work) => {
      const running = work().catch((error: unknown) => void failures.push(error));
      open.add(running);
      void running.then(() => open.delete(running));
    },
  };

  const random = createRandom(seed);
  const firstClients = Math.min(200, 12 + Math.floor(events / 5_000));
  for (let n = 0; n < firstClients; n += 1) await registerClient(world, random);
  world.beside(() => liveOperator(world, createRandom(seed + 1), { events, recorded: () => recorded }));
  let lives = 1;
  const lane = async (): Promise<void> => {
    while (!world.isOver()) {
      lives += 1;
      await livePerson(world, createRandom(seed + lives));
    }
  };
  // Enough at once that appends travel together, and few enough that people come to the end of their lives.
  const lanes = Math.max(8, Math.min(400, Math.floor(events / 200)));
  for (let n = 0; n < lanes; n += 1) world.beside(lane);
  while (open.size > 0) await Promise.all(open);
  if (failures.length > 0) throw failures[0];
  return { ...made, platform, head: recorded, seconds: (performance.now() - began) / 1_000 };
};
