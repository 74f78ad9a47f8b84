import { randomToken, s256 } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { revokeSessionAlone } from '../../../../test/support/link-session.ts';
import { type DeviceWorld, openDeviceWorld, refusedWith } from './support/device-world.ts';

let world: DeviceWorld;
beforeAll(async () => {
  world = await openDeviceWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const pkce = () => {
  const verifier = randomToken(32);
  return { verifier, fields: { code_challenge: s256(verifier), code_challenge_method: 'S256' } };
};

describe('redemption', () => {
  test('happens once: a second one ends the grant and every token of it', async () => {
    const mine = await world.devices.client(world.platform, { kind: 'confidential' });
    const code = await world.begin({}, mine);
    await world.link(code);
    const { access_token: access, refresh_token: refresh } = (await world.poll(code, {}, mine)).body;
    expect(await world.introspect(access, mine)).toMatchObject({ active: true, sub: world.accountId });
    const head = await world.head(world.platform);
    refusedWith(await world.poll(code, {}, mine), 'invalid_grant');
    expect(await world.typesAfter(head)).toEqual(['grant.code_replayed', 'grant.revoked']);
    expect(await world.introspect(access, mine)).toEqual({ active: false });
    const refreshed = await world.refresh(refresh, mine);
    refusedWith(refreshed, 'invalid_grant');
    refusedWith(await world.poll(code, {}, mine), 'invalid_grant');
    expect(await world.typesAfter(head)).toHaveLength(2);
  });

  test('needs the verifier of the challenge, and nothing is spent by a wrong one, before or after', async () => {
    const { verifier, fields } = pkce();
    const code = await world.begin(fields);
    await world.link(code);
    const head = await world.head(world.platform);
    refusedWith(await world.poll(code), 'invalid_grant');
    refusedWith(await world.poll(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    refusedWith(await world.poll(code, { code_verifier: 'short' }), 'invalid_request');
    expect(await world.typesAfter(head)).toEqual([]);
    expect((await world.poll(code, { code_verifier: verifier })).status).toBe(200);
    const redeemed = await world.head(world.platform);
    refusedWith(await world.poll(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    expect(await world.typesAfter(redeemed)).toEqual([]);
  });

  test('refuses a verifier that no challenge asked for (RFC 9700 §4.8.2)', async () => {
    const code = await world.begin();
    await world.link(code);
    refusedWith(await world.poll(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    expect((await world.poll(code)).status).toBe(200);
  });

  test('narrows what was granted and never widens it', async () => {
    const code = await world.begin();
    await world.link(code);
    refusedWith(await world.poll(code, { scope: 'read write' }), 'invalid_scope');
    refusedWith(await world.poll(code, { resource: 'https://elsewhere.example' }), 'invalid_target');
    expect((await world.poll(code, { scope: 'read' })).body['scope']).toBe('read');
  });

  test('gives tokens of the person who linked it, refreshed as any others', async () => {
    const mine = await world.devices.client(world.platform, { kind: 'confidential' });
    const other = (await world.account(world.platform)).id;
    const code = await world.begin({}, mine);
    await world.link(code, other);
    const { refresh_token: refresh } = (await world.poll(code, {}, mine)).body;
    const refreshed = await world.refresh(refresh, mine);
    expect(refreshed.status).toBe(200);
    expect(await world.introspect(refreshed.body['access_token'], mine)).toMatchObject({
      active: true,
      sub: other,
      aud: 'https://gadgets.example/api',
    });
  });
});

test('the end of a session ends the tokens that it came to, whatever is recorded of its grant', async () => {
  const mine = await world.devices.client(world.platform, { kind: 'confidential' });
  const code = await world.begin({}, mine);
  await world.link(code);
  const { access_token: access, refresh_token: refresh } = (await world.poll(code, {}, mine)).body;
  await revokeSessionAlone(world.deps, { platform: world.platform, sessionId: code, account: world.accountId });
  expect(await world.introspect(access, mine)).toEqual({ active: false });
  refusedWith(await world.refresh(refresh, mine), 'invalid_grant');
  refusedWith(await world.poll(code, {}, mine), 'invalid_grant');
});

test('a disabled account, client or platform gives nothing for a linked device code, and a suspension ends', async () => {
  const person = (await world.account(world.platform)).id;
  const code = await world.begin();
  await world.link(code, person);
  const operator = await world.operator('operator');
  const manage = async (path: string): Promise<void> => {
    expect((await world.call(operator, 'POST', path, {})).status).toBe(200);
  };
  const waiting = await world.begin();
  await manage(`/system/manage/platforms/${world.platform}/suspend`);
  expect(await world.poll(waiting)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  expect(await world.poll(code)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  await manage(`/system/manage/platforms/${world.platform}/resume`);
  await manage(`/${world.platform}/manage/accounts/${person}/disable`);
  refusedWith(await world.poll(code), 'invalid_grant');
  await manage(`/${world.platform}/manage/accounts/${person}/enable`);
  expect((await world.poll(code)).status).toBe(200);
});
