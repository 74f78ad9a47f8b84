import { randomUuid } from '@grantlog/crypto';
import { keyRingDecider, keyRingStream } from '@grantlog/domain';
import { fold, type PlatformId } from '@grantlog/eventsourcing';
import { openLog } from '@grantlog/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configurePlatform, openLogKey } from '../src/index.ts';
import { by, createWorld, documentOf, openNode, platform, type World } from './support/world.ts';

let world: World;
let second: ReturnType<typeof openNode>;
beforeAll(async () => {
  world = await createWorld();
  second = openNode(world.url);
});
afterAll(async () => {
  await second.close();
  await world.close();
});

const logKeys = async (of: PlatformId) => {
  const ring = fold(keyRingDecider, (await world.log.load(of, [{ streamId: keyRingStream }])).stream(keyRingStream));
  return ring.status === 'none' ? [] : ring.keys.filter(({ use }) => use === 'log');
};

test('a platform begins with the key of its log, which is asked for and not made', async () => {
  await configurePlatform(world, by, documentOf());
  const [key] = await logKeys(platform);
  expect((await openLogKey(world, platform)).kid).toBe(key?.keyId);
  expect(await logKeys(platform)).toHaveLength(1);
});

test('a platform of before gets one, and the same for fifty that ask two processes at once', async () => {
  const old = 'old' as PlatformId;
  await openLog(world.pool, { platform: old, lineage: randomUuid() });
  const kids = await Promise.all(Array.from({ length: 50 }, async (_, n) => (await openLogKey(n % 2 === 0 ? world : second, old)).kid));
  expect(new Set(kids).size).toBe(1);
  expect((await logKeys(old)).map(({ keyId, status }) => [keyId, status])).toEqual([[kids[0], 'active']]);
});
