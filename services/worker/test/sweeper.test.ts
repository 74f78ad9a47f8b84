import type { EndpointLane } from '@grantlog/postgres';
import { expect, test } from 'vitest';
import { sweep } from '../src/webhooks/sweeper.ts';
import { useScene } from './support/scene.ts';
import { platform } from './support/world.ts';

const scene = useScene();

test('a lane in which more wake-ups wait than anybody comes to is left alone, so that they cannot pile up', async () => {
  const { pool, endpoint } = scene.world();
  const { id } = await endpoint({ url: 'http://127.0.0.1:9/' });
  await pool.query(
    `insert into delivery (platform, endpoint, id, lane, position) select $1, $2, gen_random_uuid(), n % 3, n from generate_series(0, 5) n`,
    [platform, id],
  );
  const woken: EndpointLane[] = [];
  const queueOf = (waiting: number) => ({
    wake: async (lanes: readonly EndpointLane[]) => void woken.push(...lanes),
    depth: async () => [
      { lane: 0 as const, wakes: 0 },
      { lane: 1 as const, wakes: waiting },
    ],
  });
  expect(await sweep({ pool, queue: queueOf(999) })).toBe(3);
  expect(woken.splice(0).map(({ lane }) => lane)).toEqual([0, 1, 2]);
  expect(await sweep({ pool, queue: queueOf(1_000) })).toBe(2);
  expect(woken.map(({ lane }) => lane)).toEqual([0, 2]);
});
