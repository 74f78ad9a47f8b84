import { type Database, listDueLanes } from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';

/** Wake-ups of a lane that wait already: where nobody comes to so many, more would only pile up. */
const enough = 1_000;

/**
 * One sweep, the only thing here that a timer starts: each endpoint and lane with something due that nobody serves is woken.
 * It carries retries, lost wake-ups, a wiped queue and the work of a killed worker alike.
 */
export const sweep = async (context: {
  readonly pool: Database;
  readonly queue: Pick<DeliveryQueue, 'wake' | 'depth'>;
}): Promise<number> => {
  const { pool, queue } = context;
  const [due, depths] = await Promise.all([listDueLanes(pool), queue.depth()]);
  const full = new Set(depths.filter(({ wakes }) => wakes >= enough).map(({ lane }) => lane));
  const woken = due.filter(({ lane }) => !full.has(lane));
  await queue.wake(woken);
  return woken.length;
};
