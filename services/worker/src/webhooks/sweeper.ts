import { type Database, listDueLanes } from '@grantlog/postgres';
import type { DeliveryQueue } from '../queue/delivery-queue.ts';

/**
 * One sweep, the only thing here that a timer starts: each endpoint and lane with something due that nobody serves is woken.
 * It carries retries, lost wake-ups, a wiped queue and the work of a killed worker alike.
 */
export const sweep = async (context: { readonly pool: Database; readonly queue: Pick<DeliveryQueue, 'wake'> }): Promise<number> => {
  const due = await listDueLanes(context.pool);
  await context.queue.wake(due);
  return due.length;
};
