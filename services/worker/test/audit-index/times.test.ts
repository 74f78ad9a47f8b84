import { clockAt, listAuditEvents, positionAt } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { type Audit, clinic, newAccount, openAudit, plant, platform } from './support.ts';

const scene = useScene();

/** Events recorded so many seconds after a base, in this order, as a clock that is corrected now and then has them. */
const seconds = [1, 3, 2, 2.5, 4, 0, 4.000001, 6];
const clocks = [1, 3, 3, 3, 4, 4, 4.000001, 6];

const record = async (audit: Audit, base: number): Promise<number> => {
  const head = await audit.head();
  for (const [index, second] of seconds.entries())
    await plant(
      scene.world(),
      `insert into event (platform, position, stream_id, version, commit_id, type, schema_version, data, actor, correlation_id, recorded_at)
       values ($1, $2, $3, 1, gen_random_uuid(), 'account.registered', 1, '{}', '{"kind": "system", "id": "test"}', 'test',
         to_timestamp($4::float8) + $5::int * interval '1 microsecond')`,
      [clinic, head + index + 1, newAccount(), base, Math.round(second * 1_000_000)],
    );
  return head;
};
/** What the definition says: the last position before anything later than the instant was recorded. */
const expectedAt = (second: number): number => {
  const passed = clocks.findIndex((clock) => clock > second);
  return passed === -1 ? clocks.length : passed;
};
const asked = [-1, 0, 0.999999, 1, 1.5, 2, 2.5, 2.999999, 3, 3.5, 4, 4.0000005, 4.000001, 5, 6, 7];

test('where the log stood at a time is the same before, while and after the index gets there', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const base = Math.ceil(Date.now() / 1000) + 100;
  const head = await record(audit, base);
  const check = async (through: number): Promise<void> => {
    const page = await listAuditEvents(world.api, { platform: clinic, filter: {}, order: 'newest', limit: 1 });
    expect(page.through - head).toBe(through);
    for (const second of asked) {
      const found = await positionAt(world.api, { platform: clinic, time: (base + Math.floor(second * 1_000_000) / 1_000_000) * 1000 });
      expect([second, found - head]).toEqual([second, expectedAt(Math.floor(second * 1_000_000) / 1_000_000)]);
    }
    for (const [index, clock] of clocks.entries()) {
      const at = await clockAt(world.api, { platform: clinic, position: head + index + 1 });
      expect([index, Math.round((at ?? 0) * 1000 - base * 1_000_000)]).toEqual([index, Math.round(clock * 1_000_000)]);
    }
  };
  await check(0);
  // One batch only, which ends while the clock stands still.
  let batches = 0;
  await audit
    .catchUp({
      ...audit.index,
      batchLimit: 4,
      consume: async (client, target, events) => {
        batches += 1;
        if (batches > 1) throw new Error('enough');
        await audit.index.consume(client, target, events);
      },
    })
    .catch(() => {});
  await world.pool.query('update subscription set retry_at = null');
  await check(4);
  await audit.catchUp();
  await check(clocks.length);
});

test('a time before everything is position 0, and where no event stands there is no time', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const head = await audit.head();
  expect(await positionAt(world.api, { platform: clinic, time: 0 })).toBe(0);
  expect(await positionAt(world.api, { platform: clinic, time: Date.now() + 1_000_000 })).toBe(head);
  for (const position of [-1, 0, head + 1]) expect(await clockAt(world.api, { platform: clinic, position })).toBeNull();
  expect(await clockAt(world.api, { platform, position: head })).toBeNull();
  const never = { platform: 'nowhere' as typeof platform, time: Date.now() };
  expect(await positionAt(world.api, never)).toBe(0);
});
