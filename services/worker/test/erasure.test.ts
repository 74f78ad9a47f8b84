import { consumeOnce, insertDataKey } from '@grantlog/postgres';
import { expect, test } from 'vitest';
import { createErasure } from '../src/subscriptions/erasure.ts';
import { useScene } from './support/scene.ts';
import { platform } from './support/world.ts';

const scene = useScene();

test('an erased account loses its data key, and nobody else does', async () => {
  const { pool, account, append } = scene.world();
  const [leaving, staying] = [account(), account()];
  for (const subject of [leaving, staying]) await insertDataKey(pool, { platform, subject, sealed: new Uint8Array([1, 2, 3]) });
  await append(leaving, { type: 'account.erased', data: {} });

  const erasure = createErasure();
  await pool.query('insert into subscription (name, platform) select $1, platform from log', [erasure.name]);
  expect((await consumeOnce(pool, [erasure])).kind).toBe('consumed');

  const { rows } = await pool.query('select subject from data_key');
  expect(rows).toEqual([{ subject: staying }]);
});
