import type { PlatformId } from '@grantlog/eventsourcing';
import type { ConnectionStep } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createTraceRecorder } from '../../src/traces/recorder.ts';
import { createWorld } from '../management/support/world.ts';

let world: Awaited<ReturnType<typeof createWorld>>;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const step = (visitor: Uint8Array, platform = 'along'): ConnectionStep => ({
  platform: platform as PlatformId,
  step: 'authorize',
  refusal: null,
  attempt: null,
  request: crypto.randomUUID(),
  client: null,
  grant: null,
  visitor,
  program: null,
});
const kept = async (what: string): Promise<number> =>
  (await world.deps.pool.query<{ count: number }>(`select count(*)::int as count from connection_step where ${what}`)).rows[0]?.count ?? 0;

describe('what is noted', () => {
  test('of one place is bounded, so that whoever floods hides nobody else', async () => {
    const lost: number[] = [];
    let now = 60_000_000;
    const recorder = createTraceRecorder({ pool: world.deps.pool, now: () => now, onLost: ({ steps }) => void lost.push(steps) });
    const [flood, person] = [new Uint8Array([7, 7]), new Uint8Array([8, 8])];
    for (let second = 0; second < 10; second += 1) {
      for (let n = 0; n < 150; n += 1) recorder.note(step(flood));
      recorder.note(step(person));
      now += 1_000;
    }
    // What resources note has no place, and is one step for each grant.
    for (let n = 0; n < 10; n += 1)
      recorder.noteUse({ platform: 'along' as PlatformId, grant: crypto.randomUUID(), client: 'c', request: crypto.randomUUID() });
    await recorder.stop();
    expect(await kept(`visitor = '\\x0707'`)).toBe(600);
    expect(await kept(`visitor = '\\x0808'`)).toBe(10);
    expect(await kept(`step = 'first_use'`)).toBe(10);
    expect(lost.reduce((sum, each) => sum + each, 0)).toBe(900);
  });
});

test('the metadata that one place looks up again is noted once, whatever query it adds', async () => {
  for (let n = 0; n < 20; n += 1)
    await world.app.inject({ url: `/.well-known/oauth-authorization-server/arlo?n=${n}`, remoteAddress: '203.0.113.77' });
  await world.app.inject({ url: '/arlo/.well-known/oauth-authorization-server', remoteAddress: '203.0.113.77' });
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await kept(`platform = 'arlo' and step = 'discovery'`)).toBe(2);
});
