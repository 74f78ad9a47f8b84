import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld, tenantJson, type World } from '../management/support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
  for (const [name, more] of [
    ['safes', { contexts: { noun: 'Safe' } }],
    ['vaults', { contexts: { noun: 'Vault' } }],
  ] as const)
    expect((await world.call(root, 'PUT', `/system/manage/platforms/${name}`, tenantJson(name, more))).status).toBe(201);
});
afterAll(() => world.close());

const person = async (platform = 'safes') => {
  const { id } = await world.account(platform as World['arlo']);
  return { id, at: `/${platform}/manage/accounts/${id}` };
};
const put = (at: string, ...contexts: readonly object[]) => world.call(root, 'PUT', `${at}/contexts`, { contexts });
const read = (at: string) => world.call(root, 'GET', `${at}/contexts`);
const family = { id: 'safe_family', name: 'Unmistakable Family' };
const work = { id: 'safe_work', name: 'Arbeit & Söhne' };

describe('the contexts of an account', () => {
  test('are none until they are set, and read back in the order in which they were', async () => {
    const { at, id } = await person();
    expect(await read(at)).toMatchObject({ status: 200, body: { contexts: [] } });
    expect(await put(at, work, family)).toMatchObject({ status: 200, body: { changed: true } });
    expect((await read(at)).body).toEqual({ contexts: [work, family] });
    expect((await world.call(root, 'GET', at)).body).toMatchObject({ accountId: id, contexts: [work.id, family.id] });
    expect(await put(at)).toMatchObject({ body: { changed: true } });
    expect((await read(at)).body).toEqual({ contexts: [] });
  });

  test('are recorded where something changed, be it the name or the order alone, and not otherwise', async () => {
    const { at } = await person();
    const outcomes: unknown[] = [];
    for (const contexts of [[], [family, work], [family, work], [work, family], [{ ...work, name: 'Work' }, family], []])
      outcomes.push((await put(at, ...contexts)).body['changed']);
    expect(outcomes).toEqual([false, true, false, true, true, true]);
  });

  test('have names that stand in no event, and are gone with the account', async () => {
    const { at } = await person();
    await put(at, family, { id: 'safe_2', name: 'Unmistakable Too' });
    const everything = await world.everything();
    expect([everything.includes('Unmistakable'), everything.includes('safe_2')]).toEqual([false, true]);
    await world.call(root, 'DELETE', at);
    expect((await read(at)).body).toEqual({ contexts: [] });
    expect(await put(at, family)).toMatchObject({ status: 409, body: { code: 'account_erased' } });
  });

  test('may be called like what every object has', async () => {
    const { at } = await person();
    const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '...', '~'].map((id) => ({ id, name: `the ${id}` }));
    expect(await put(at, ...odd)).toMatchObject({ status: 200 });
    expect((await read(at)).body).toEqual({ contexts: odd });
  });

  test('are at most 256, of ids that are spelt as a segment of a URL, each once', async () => {
    const { at } = await person();
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `s${index}`, name: 'S' }));
    expect((await put(at, ...many(256))).status).toBe(200);
    expect((await put(at, ...many(257))).status).toBe(400);
    for (const id of ['', '.', '..', 'a/b', 'a b', 'ü', 'a'.repeat(65), 'a%2f', 'a\n'])
      expect([id, (await put(at, { id, name: 'S' })).status]).toEqual([id, 400]);
    for (const name of ['', 'a'.repeat(101), 'a\u0000', '\ud800'])
      expect([name, (await put(at, { id: 's', name })).status]).toEqual([name, 400]);
    expect(await put(at, family, { ...family, name: 'Twice' })).toMatchObject({ status: 422, body: { code: 'context_twice' } });
    expect((await read(at)).body['contexts']).toHaveLength(256);
  });

  test('of many characters are read back as they were', async () => {
    const { at } = await person();
    const long = Array.from({ length: 100 }, (_, index) => ({ id: `safe-${index}`.padEnd(64, 'x'), name: '本'.repeat(100) }));
    expect((await put(at, ...long)).status).toBe(200);
    expect((await read(at)).body).toEqual({ contexts: long });
  });

  test('are of one platform, and only where it has any', async () => {
    const safe = await person();
    const vault = await person('vaults');
    expect((await put(`/vaults/manage/accounts/${safe.id}`, family)).body).toMatchObject({ code: 'unknown_account' });
    expect((await read(`/vaults/manage/accounts/${safe.id}`)).body).toMatchObject({ code: 'unknown_account' });
    const { id } = await world.account(world.arlo);
    expect(await put(`/arlo/manage/accounts/${id}`, family)).toMatchObject({ status: 409, body: { code: 'no_contexts' } });
    const other = await world.operator('operator:vaults');
    expect((await world.call(other, 'PUT', `${safe.at}/contexts`, { contexts: [family] })).status).toBe(403);
    expect((await world.call(other, 'PUT', `${vault.at}/contexts`, { contexts: [family] })).status).toBe(200);
    for (const id of ['nobody', crypto.randomUUID()])
      expect(await put(`/safes/manage/accounts/${id}`, family)).toMatchObject({ status: 404, body: { code: 'unknown_account' } });
  });

  test('of two settings at once, one is what stands', async () => {
    const { at } = await person();
    const settings = Array.from({ length: 20 }, (_, index) => [{ id: `only-${index}`, name: `N${index}` }]);
    const answers = await Promise.all(settings.map((contexts) => put(at, ...contexts)));
    expect(answers.map(({ status }) => status)).toEqual(settings.map(() => 200));
    const { contexts } = (await read(at)).body as { readonly contexts: readonly { readonly id: string; readonly name: string }[] };
    expect(settings).toContainEqual(contexts);
  });
});
