import { tokenExchangeGrant } from '@grantlog/domain';
import { activateKey, createKey, retireKey } from '@grantlog/provisioning';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { by } from '../sessions/support/devices.ts';
import { type Delegates, files, mail, openDelegates } from './support/delegates.ts';

let delegates: Delegates;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
});
afterAll(() => delegates.world.close());

/** Another key takes over; `before` is done while the old one still verifies. */
const compromise = async (alg: 'HS256' | 'ES256', before: () => Promise<void>): Promise<void> => {
  const { platform, world } = delegates;
  const { provisioning } = world.deps;
  const ring = (await world.call(await world.operator('operator'), 'GET', `/${platform}/manage/keys`)).body['keys'];
  const old = (ring as readonly { readonly use: string; readonly alg: string; readonly keyId: string; readonly status: string }[]).find(
    (key) => key.use !== 'name' && key.alg === alg && key.status === 'active',
  );
  const created = await createKey(provisioning, by, { platform, alg });
  if (old === undefined || 'refusal' in created) throw new Error('no keys');
  await activateKey(provisioning, by, { platform, key: created.key, reason: 'compromised' });
  await before();
  const retired = await retireKey(provisioning, by, {
    platform,
    key: alg === 'HS256' ? { use: 'token', keyId: Number(old.keyId) } : { use: 'sign', keyId: old.keyId },
    reason: 'compromised',
  });
  expect(retired).not.toHaveProperty('refusal');
};

test.each([
  ['an opaque token', 'HS256', [mail, files]],
  ['a JWT', 'ES256', [files, mail]],
] as const)('whoever stole the key of %s keeps nothing that they exchanged one for', async (_, alg, resources) => {
  const { assistant, mailServer } = delegates;
  expect(assistant.secret).toBeTypeOf('string');
  const { token } = await delegates.allow({ to: assistant, account: await delegates.person(), resources });
  let passed = '';
  await compromise(alg, async () => {
    passed = await delegates.passOn(assistant, token, { resource: mail, scope: 'read' });
    expect(await delegates.introspect(mailServer, passed)).toMatchObject({ active: true });
  });
  expect(await delegates.introspect(mailServer, passed)).toEqual({ active: false });
  expect(await delegates.send(assistant, '/oauth/token', { grant_type: tokenExchangeGrant })).toMatchObject({ status: 400 });
});
