import type { StreamId } from '@grantlog/eventsourcing';
import { type AuditEntry, streamAuditEvents } from '@grantlog/read-models';
import { expect, test } from 'vitest';
import { useScene } from '../support/scene.ts';
import { allPages, clinic, newAccount, openAudit } from './support.ts';

const scene = useScene();

test.each(['oldest', 'newest'] as const)(
  'an export from the %s gives all that stood when it began, and nothing that came after',
  async (order) => {
    const world = scene.world();
    const audit = await openAudit(world);
    const account = newAccount();
    const happen = (streamId: StreamId) => audit.append([{ streamId, events: [{ type: 'account.registered', data: {} }] }]);
    for (let n = 0; n < 10; n += 1) await happen(newAccount());
    await happen(account);
    await audit.catchUp();
    const before = (await allPages(world, { order, limit: 1_000 })).entries;
    const head = await audit.head();
    const seen: AuditEntry[] = [];
    const sizes: number[] = [];
    for await (const { entries, through } of streamAuditEvents(world.api, { platform: clinic, filter: {}, order, limit: 4 })) {
      expect(through).toBe(head);
      seen.push(...entries);
      sizes.push(entries.length);
      await happen(newAccount());
      await audit.catchUp();
    }
    expect(seen).toEqual(before);
    expect(Math.max(...sizes)).toBe(4);
    const ofOne: AuditEntry[] = [];
    for await (const { entries } of streamAuditEvents(world.api, { platform: clinic, filter: { account }, order })) ofOne.push(...entries);
    expect(ofOne).toMatchObject([{ streamId: account }]);
  },
);

test('an export of nothing ends at once', async () => {
  const world = scene.world();
  const audit = await openAudit(world);
  await audit.catchUp();
  const exported = streamAuditEvents(world.api, { platform: clinic, filter: { account: newAccount() }, order: 'oldest' });
  expect(await Array.fromAsync(exported)).toEqual([]);
});
