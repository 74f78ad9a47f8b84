import { randomUuid } from '@grantlog/crypto';
import type { StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { delivered, openTurns, rejected, type Turns } from './support/turns.ts';

let turns: Turns;
let endpoint: StreamId;
let worker: string;
let line: StreamId;
beforeAll(async () => {
  turns = await openTurns('turns_lines');
});
beforeEach(async () => {
  endpoint = await turns.endpoint({ ordered: true });
  worker = turns.worker();
  line = randomUuid() as StreamId;
});
afterAll(() => turns.close());

/** How many of a line could be handed out now, as far as their time goes. */
const dueIn = async (of: StreamId): Promise<number> => {
  const { rows } = await turns.pool.query<{ n: number }>('select count(*)::int as n from delivery where line = $1 and due_at <= now()', [
    of,
  ]);
  return rows[0]?.n ?? 0;
};

test('what stands behind another of its line is put off, and made due when that one is delivered', async () => {
  const ids = [await turns.due(endpoint, { line }), await turns.due(endpoint, { line }), await turns.due(endpoint, { line })];
  const taken = await turns.take(worker, { endpoint });
  expect(taken?.deliveries.map(({ id }) => id)).toEqual([ids[0]]);
  expect(await dueIn(line)).toBe(1);
  await turns.say(worker, { endpoint, epoch: taken?.epoch ?? 0, attempts: [delivered(ids[0] ?? '')] });
  expect(await dueIn(line)).toBe(1);
  expect(await turns.handed(worker, endpoint, { epoch: taken?.epoch ?? 0 })).toEqual([ids[1]]);
});

test('the next of a line is due when the one before goes in any other way, but for one that waits for its next attempt', async () => {
  const ids = [await turns.due(endpoint, { line }), await turns.due(endpoint, { line }), await turns.due(endpoint, { line })];
  await turns.take(worker, { endpoint });
  await turns.pool.query('delete from delivery where id = $1', [ids[0]]);
  expect(await turns.delivery(ids[1] ?? '')).toMatchObject({ due: 0 });
  await turns.pool.query(`update delivery set failures = 1, due_at = now() + interval '1 hour' where id = $1`, [ids[2]]);
  await turns.pool.query('delete from delivery where id = $1', [ids[1]]);
  expect(await turns.delivery(ids[2] ?? '')).toMatchObject({ due: 3_600 });
});

test('a line waits for its first, and no other line for that', async () => {
  const other = randomUuid() as StreamId;
  const first = await turns.due(endpoint, { line });
  const second = await turns.due(endpoint, { line });
  const { epoch = 0 } = (await turns.take(worker, { endpoint })) ?? {};
  await turns.say(worker, { endpoint, epoch, attempts: [rejected(first)] });
  const elsewhere = await turns.due(endpoint, { line: other });
  expect(await turns.handed(worker, endpoint, { epoch })).toEqual([elsewhere]);
  // No later than in ten minutes it is looked at again, whatever became of the first.
  expect(await turns.delivery(second)).toMatchObject({ due: 60 });
  await turns.pool.query(`update delivery set due_at = now() + interval '5 hours' where id = $1`, [first]);
  await turns.pool.query('update delivery set due_at = now() where id = $1', [second]);
  await turns.take(worker, { endpoint, epoch });
  expect(await turns.delivery(second)).toMatchObject({ due: 600 });
});

test('a long line is put off in parts, and holds up nothing that comes after it', async () => {
  await turns.due(endpoint, { line, inSeconds: -60 });
  await turns.pool.query(
    `insert into delivery (platform, endpoint, id, lane, position, line, due_at)
     select $1, $2, gen_random_uuid(), 1, 1000000 + n, $3, now() - interval '30 seconds' from generate_series(1, 4500) n`,
    [turns.platform, endpoint, line],
  );
  const last = await turns.due(endpoint, { line: randomUuid() as StreamId });
  const { epoch = 0, deliveries = [] } = (await turns.take(worker, { endpoint })) ?? {};
  expect(deliveries).toHaveLength(1);
  const found: string[] = [];
  for (let n = 0; n < 3 && found.length === 0; n += 1) found.push(...(await turns.handed(worker, endpoint, { epoch })));
  expect(found).toEqual([last]);
  await turns.handed(worker, endpoint, { epoch });
  expect(await dueIn(line)).toBe(1);
});
