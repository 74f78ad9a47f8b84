import type { Transaction } from './database.ts';
import type { NewMessage } from './delivery.ts';

/** Writes messages and who may read them; those that stand already stay as they are. */
export const insertMessages = async (client: Transaction, messages: readonly NewMessage[]): Promise<void> => {
  if (messages.length === 0) return;
  const written = client.query({
    name: 'grantlog.insert-messages',
    text: `insert into message (platform, id, position, ordinal, subject, type, renderer, body, recorded_at, trace)
      select m.platform, m.id, m.position, m.ordinal, m.subject, m.type, m.renderer, m.body, to_timestamp(m.recorded_ms / 1000), m.trace
      from unnest($1::text[], $2::uuid[], $3::bigint[], $4::int[], $5::uuid[], $6::text[], $7::smallint[], $8::text[], $9::float8[], $10::text[])
        as m(platform, id, position, ordinal, subject, type, renderer, body, recorded_ms, trace)
      on conflict do nothing`,
    values: [
      messages.map((message) => message.platform),
      messages.map((message) => message.id),
      messages.map((message) => message.position),
      messages.map((message) => message.ordinal),
      messages.map((message) => message.subject),
      messages.map((message) => message.type),
      messages.map((message) => message.renderer),
      messages.map((message) => message.body),
      messages.map((message) => message.recordedAt),
      messages.map((message) => message.trace),
    ],
  });
  const readers = messages.flatMap((message) => message.audience.map((audience) => ({ ...message, audience })));
  const readable = client.query({
    name: 'grantlog.insert-message-audience',
    text: `insert into message_audience (platform, audience, position, ordinal, id)
      select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::int[], $5::uuid[]) on conflict do nothing`,
    values: [
      readers.map(({ platform }) => platform),
      readers.map(({ audience }) => audience),
      readers.map(({ position }) => position),
      readers.map(({ ordinal }) => ordinal),
      readers.map(({ id }) => id),
    ],
  });
  await Promise.all([written, readable]);
};
