import { afterEach, beforeEach, inject } from 'vitest';
import { createReceiver } from './receiver.ts';
import { type BackendName, backends, openQueue, startDelivering } from './worker.ts';
import { createWorld, type World } from './world.ts';

export type Scene = ReturnType<typeof useScene>;

/** A fresh world for every test, and everything that a test starts in it stopped afterwards, last first. */
export const useScene = (backend: BackendName = backends[0] ?? 'postgres') => {
  let world: World | null = null;
  let stops: (() => Promise<void>)[] = [];
  const current = (): World => {
    if (world === null) throw new Error('a scene has its world only within a test');
    return world;
  };
  beforeEach(async () => {
    world = await createWorld(inject('databaseUrl'));
    stops = [];
  });
  afterEach(async () => {
    for (const stop of stops.reverse()) await stop();
    await world?.close();
  });
  return {
    world: current,
    atEnd: (stop: () => Promise<void>): void => void stops.push(stop),
    receiver: async (...given: Parameters<typeof createReceiver>) => {
      const receiver = await createReceiver(...given);
      stops.push(receiver.close);
      return receiver;
    },
    worker: async (options: Parameters<typeof startDelivering>[2] = {}) => {
      const worker = startDelivering(current(), await openQueue(backend, current(), inject('redisUrl')), options);
      stops.push(worker.stop);
      return worker;
    },
  };
};
