import type { Transaction } from './database.ts';
import type { NewDelivery } from './delivery.ts';

/** Writes deliveries; those that stand already stay as they are. */
export const insertDeliveries = async (client: Transaction, deliveries: readonly NewDelivery[]): Promise<void> => {
  if (deliveries.length === 0) return;
  await client.query({
    name: 'grantlog.insert-deliveries',
    text: `insert into delivery (platform, endpoint, id, lane, position, ordinal, line, proves, state)
      select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::smallint[], $5::bigint[], $6::int[], $7::uuid[], $8::boolean[], $9::text[])
      on conflict do nothing`,
    values: [
      deliveries.map((delivery) => delivery.platform),
      deliveries.map((delivery) => delivery.endpoint),
      deliveries.map((delivery) => delivery.id),
      deliveries.map((delivery) => delivery.lane),
      deliveries.map((delivery) => delivery.position),
      deliveries.map((delivery) => delivery.ordinal),
      deliveries.map((delivery) => delivery.line),
      deliveries.map((delivery) => delivery.proves),
      deliveries.map((delivery) => delivery.state),
    ],
  });
};
