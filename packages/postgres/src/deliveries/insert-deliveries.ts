import type { Transaction } from './database.ts';
import type { NewDelivery } from './delivery.ts';

/** Writes deliveries; those that stand already, finished or not, stay as they are. */
export const insertDeliveries = async (client: Transaction, deliveries: readonly NewDelivery[]): Promise<void> => {
  if (deliveries.length === 0) return;
  await client.query({
    name: 'grantlog.insert-deliveries',
    text: `insert into delivery (platform, endpoint, id, lane, position, line, proves, state)
      select n.* from unnest($1::text[], $2::uuid[], $3::uuid[], $4::smallint[], $5::bigint[], $6::uuid[], $7::boolean[], $8::text[])
        as n(platform, endpoint, id, lane, position, line, proves, state)
      where not exists (select 1 from delivery_done d where d.platform = n.platform and d.id = n.id and d.endpoint = n.endpoint)
      on conflict do nothing`,
    values: [
      deliveries.map((delivery) => delivery.platform),
      deliveries.map((delivery) => delivery.endpoint),
      deliveries.map((delivery) => delivery.id),
      deliveries.map((delivery) => delivery.lane),
      deliveries.map((delivery) => delivery.position),
      deliveries.map((delivery) => delivery.line),
      deliveries.map((delivery) => delivery.proves),
      deliveries.map((delivery) => delivery.state),
    ],
  });
};
