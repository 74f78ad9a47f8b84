import { type Database, expireClaims, listDueLanes } from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';

/**
 * One sweep, the only thing here that a timer starts: claims that ran out become lost attempts, and each endpoint and
 * lane with something due is woken. It carries retries, lost wake-ups and a wiped queue alike.
 */
export const sweep = async (context: {
  readonly pool: Database;
  readonly queue: Pick<DeliveryQueue, 'wake'>;
  readonly onWakeFailed: (error: unknown) => void;
}): Promise<{ readonly lost: number; readonly woken: number }> => {
  const lost = await expireClaims(context.pool);
  const due = await listDueLanes(context.pool);
  await Promise.all(due.map((lane) => context.queue.wake(lane).catch(context.onWakeFailed)));
  return { lost, woken: due.length };
};
