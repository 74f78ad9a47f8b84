import type { StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '../deliveries/database.ts';
import { type EndpointKey, retryLane } from '../deliveries/delivery.ts';

/** Makes finished deliveries of an endpoint due once more, under their ids and with a fresh schedule, after everything else. */
export const deliverAgain = async (
  client: Transaction,
  options: EndpointKey & {
    /** `line` as a delivery has it: the message's subject, where the endpoint wants order or nothing stale. */
    readonly deliveries: readonly { readonly id: string; readonly line: StreamId | null }[];
  },
): Promise<void> => {
  const { platform, endpoint, deliveries } = options;
  if (deliveries.length === 0) return;
  await client.query({
    name: 'grantlog.deliver-again',
    text: `with again as (
        delete from delivery_done d using unnest($3::uuid[], $4::uuid[]) as n(id, line)
        where d.platform = $1 and d.endpoint = $2 and d.id = n.id
        returning d.platform, d.endpoint, d.id, d.position, n.line, d.proves, d.attempt, d.created_at
      )
      insert into delivery (platform, endpoint, id, lane, position, line, proves, attempt, created_at)
      select platform, endpoint, id, $5, position, line, proves, attempt, created_at from again
      on conflict do nothing`,
    values: [platform, endpoint, deliveries.map(({ id }) => id), deliveries.map(({ line }) => line), retryLane],
  });
};
