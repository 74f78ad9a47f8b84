import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, tenantJson, type World } from './support/world.ts';

let world: World;
let root: string;
let number = 0;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

type Key = {
  readonly keyId: string;
  readonly use: string;
  readonly alg: string;
  readonly status: string;
  readonly verifyUntil: string | null;
};

/** A platform whose keys this test alone turns. */
const platformOfItsOwn = async (more: object = {}) => {
  number += 1;
  const name = `keys${number}`;
  await world.call(root, 'PUT', `/system/manage/platforms/${name}`, tenantJson(name, more));
  const at = `/${name}/manage/keys`;
  const list = async (): Promise<readonly Key[]> => (await world.call(root, 'GET', at)).body['keys'] as readonly Key[];
  return {
    name,
    platform: name as PlatformId,
    at,
    list,
    find: async (keyId: string) => (await list()).find((key) => key.keyId === keyId),
    create: async (alg: string) => String((await world.call(root, 'POST', at, { alg })).body['keyId']),
  };
};

test('a new platform has an active key of each algorithm and one for tokens, and shows no secret half', async () => {
  const { at } = await platformOfItsOwn();
  const { body, text } = await world.call(root, 'GET', at);
  expect((body['keys'] as readonly Key[]).map(({ alg, status }) => `${alg} ${status}`).sort()).toEqual([
    'ES256 active',
    'EdDSA active',
    'HS256 active',
    'RS256 active',
  ]);
  for (const member of ['"d":', '"p":', 'credentialId', 'sealed']) expect(text).not.toContain(member);
});

test.each(['RS256', 'ES256', 'EdDSA', 'HS256'])('a new %s key is pending, and waits until caches know it', async (alg) => {
  const keys = await platformOfItsOwn();
  const created = await world.call(root, 'POST', keys.at, { alg });
  expect(created).toMatchObject({ status: 201, body: { position: await world.head(keys.platform) } });
  const keyId = String(created.body['keyId']);
  expect(await keys.find(keyId)).toMatchObject({ alg, status: 'pending' });
  expect(await world.call(root, 'POST', `${keys.at}/${keyId}/activate`)).toMatchObject({ status: 409, body: { code: 'not_propagated' } });
});

test('a key whose predecessor is compromised is activated at once, and the predecessor can then be retired at once', async () => {
  const keys = await platformOfItsOwn();
  const [old] = (await keys.list()).filter(({ use }) => use === 'token');
  const keyId = await keys.create('HS256');
  expect(keyId).toBe('2');
  expect(await world.call(root, 'POST', `${keys.at}/${old?.keyId}/retire`, { reason: 'compromised' })).toMatchObject({
    status: 409,
    body: { code: 'key_active' },
  });
  for (const changed of [true, false]) {
    expect(await world.call(root, 'POST', `${keys.at}/${keyId}/activate`, { reason: 'compromised' })).toMatchObject({
      status: 200,
      body: { changed },
    });
  }
  expect(await keys.find(old?.keyId ?? '')).toMatchObject({ status: 'verifying' });
  expect(await world.call(root, 'POST', `${keys.at}/${old?.keyId}/activate`)).toMatchObject({
    status: 409,
    body: { code: 'key_superseded' },
  });
  expect(await world.call(root, 'POST', `${keys.at}/${old?.keyId}/retire`)).toMatchObject({
    status: 409,
    body: { code: 'still_verifying' },
  });
  expect(await world.call(root, 'POST', `${keys.at}/${old?.keyId}/retire`, { reason: 'compromised' })).toMatchObject({
    status: 200,
    body: { changed: true },
  });
  expect(await world.call(root, 'POST', `${keys.at}/${old?.keyId}/retire`, { reason: 'compromised' })).toMatchObject({
    status: 404,
    body: { code: 'unknown_key' },
  });
  expect(await keys.create('HS256')).toBe('3');
});

test('a superseded token key verifies for the longest lifetime that the platform ever had', async () => {
  const keys = await platformOfItsOwn({ lifetimes: { refreshTokenSeconds: 7_776_000 } });
  await world.call(
    root,
    'PUT',
    `/system/manage/platforms/${keys.name}`,
    tenantJson(keys.name, { lifetimes: { refreshTokenSeconds: 86_400 } }),
  );
  const keyId = await keys.create('HS256');
  await world.call(root, 'POST', `${keys.at}/${keyId}/activate`, { reason: 'compromised' });
  const until = Date.parse((await keys.find('1'))?.verifyUntil ?? '');
  expect(until - Date.now()).toBeGreaterThan(7_775_000_000);
  expect(until - Date.now()).toBeLessThan(7_777_000_000);
});

test('the key for names is nobody to activate or to retire', async () => {
  const keys = await platformOfItsOwn();
  for (const verb of ['activate', 'retire']) {
    expect(await world.call(root, 'POST', `${keys.at}/name/${verb}`)).toMatchObject({ status: 404, body: { code: 'unknown_key' } });
  }
});

test('what another platform has is 404 here', async () => {
  const [keys, others] = [await platformOfItsOwn(), await platformOfItsOwn()];
  const keyId = await keys.create('EdDSA');
  for (const verb of ['activate', 'retire']) {
    expect(await world.call(root, 'POST', `${others.at}/${keyId}/${verb}`, { reason: 'compromised' })).toMatchObject({ status: 404 });
  }
  expect(await keys.find(keyId)).toMatchObject({ status: 'pending' });
});

test('an algorithm that nobody signs with is refused', async () => {
  const keys = await platformOfItsOwn();
  expect(await world.call(root, 'POST', keys.at, { alg: 'none' })).toMatchObject({ status: 400, body: { errors: [{ path: 'alg' }] } });
});
