import type { Transaction } from './database.ts';
import type { NewDelivery } from './delivery.ts';

/** Writes deliveries; those that stand already stay as they are. */
export const insertDeliveries = async (client: Transaction, deliveries: readonly NewDelivery[]): Promise<void> => {
  if (deliveries.length === 0) return;
  await client.query({
    name: 'grantlog.insert-deliveries',
    text: `insert into delivery (platform, id, endpoint, lane, subject, position, type, renderer, body)
      select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::smallint[], $5::uuid[], $6::bigint[], $7::text[], $8::smallint[], $9::text[])
      on conflict do nothing`,
    values: [
      deliveries.map((delivery) => delivery.platform),
      deliveries.map((delivery) => delivery.id),
      deliveries.map((delivery) => delivery.endpoint),
      deliveries.map((delivery) => delivery.lane),
      deliveries.map((delivery) => delivery.subject),
      deliveries.map((delivery) => delivery.position),
      deliveries.map((delivery) => delivery.type),
      deliveries.map((delivery) => delivery.renderer),
      deliveries.map((delivery) => delivery.body),
    ],
  });
};
