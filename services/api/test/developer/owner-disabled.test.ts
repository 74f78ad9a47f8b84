import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openShop, type Shop } from './shop.ts';
import type { TestDeveloper } from './support.ts';

let shop: Shop;
let dev: TestDeveloper;
beforeAll(async () => {
  shop = await openShop(inject('databaseUrl'));
});
afterAll(() => shop.world.close());

const works = async (client: { readonly id: string; readonly secret: string }): Promise<boolean> =>
  (await shop.oauth('/oauth/introspect', client, { token: 'x' })).status === 200;

/** A developer with two approved clients, one that waits, one that is disabled, and one that was deleted. */
const scene = async () => {
  const { withRoom, register, approve, manage, world } = shop;
  dev = await withRoom();
  const clients = [];
  for (let nth = 0; nth < 5; nth += 1) clients.push(await register(dev));
  const [one, two, waiting, disabled, deleted] = clients;
  if (one === undefined || two === undefined || waiting === undefined || disabled === undefined || deleted === undefined)
    throw new Error('a client was not registered');
  for (const { id } of [one, two, disabled, deleted]) await approve(id);
  await manage(disabled.id, '/disable', {});
  await dev.ask('DELETE', deleted.at);
  await world.project();
  return { one, two, at: `/shop/manage/accounts/${dev.id}` };
};

describe.each([
  ['disabled', 'POST', '/disable'],
  ['erased', 'DELETE', ''],
] as const)('when a developer is %s', (_, method, verb) => {
  test('the operator is told which of their clients go on, and each ends by being disabled itself', async () => {
    const { world, manage } = shop;
    const { one, two, at } = await scene();
    const answer = await world.call(world.root, method, at + verb);
    expect(answer).toMatchObject({ status: 200, body: { changed: true, activeClients: [two.id, one.id] } });
    expect(answer.body['notice']).toContain('POST /shop/manage/clients/{clientId}/disable');
    expect(await works(one)).toBe(true);
    expect((await dev.ask('GET', '')).status).not.toBe(200);

    await manage(one.id, '/disable', {});
    expect([await works(one), await works(two)]).toEqual([false, true]);
    await world.project();
    expect(await world.call(world.root, method, at + verb)).toMatchObject({ body: { changed: false, activeClients: [two.id] } });
  });

  test('nothing is said of clients where there are none, and of those that the list lacks yet that they may be missing', async () => {
    const { world, withRoom, register, approve } = shop;
    const nobody = await withRoom();
    let answered = false;
    const first = world.call(world.root, method, `/shop/manage/accounts/${nobody.id}${verb}`).finally(() => {
      answered = true;
    });
    // The answer waits for the list, which the worker makes.
    while (!answered) await world.project();
    expect(await first).toMatchObject({ status: 200, body: { changed: true, activeClients: [], notice: null } });

    const late = await withRoom();
    await approve((await register(late)).id);
    const answer = await world.call(world.root, method, `/shop/manage/accounts/${late.id}${verb}`);
    expect(answer.body).toMatchObject({ activeClients: [], notice: expect.stringContaining(`/shop/manage/clients?owner=${late.id}`) });
  });
});
