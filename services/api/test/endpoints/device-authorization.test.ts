import { parseToken } from '@grantlog/crypto';
import type { SessionTerms } from '@grantlog/domain';
import { deviceCodeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { createDevices, type Device, type Devices } from '../sessions/support/devices.ts';

let world: World;
let devices: Devices;
let platform: PlatformId;
let device: Device;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  devices = createDevices(world);
  platform = await devices.configure('gadgets');
  device = await devices.client(platform);
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

const issuer = 'http://localhost:4000/gadgets';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const startedAfter = async (position: number, of = platform): Promise<readonly SessionTerms[]> =>
  (await devices.eventsAfter(of, position)).flatMap((event) =>
    event.type === 'session.started' ? [event.data as unknown as SessionTerms] : [],
  );

describe('the device authorization endpoint', () => {
  test('answers all that RFC 8628 §3.2 has, to be stored by nobody', async () => {
    const answer = await devices.begin(platform, device);
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store', 'access-control-allow-origin': '*' } });
    expect(answer.body).toEqual({
      device_code: expect.stringMatching(/^[a-z0-9]+_s[A-Za-z0-9_-]+$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${issuer}/device`,
      verification_uri_complete: expect.stringMatching(`^${issuer}/connect/[a-z0-9]+_l[A-Za-z0-9_-]+$`),
      expires_in: 900,
      interval: 5,
    });
  });

  test('records what was asked for, and neither the codes nor who asked in the clear', async () => {
    const head = await world.head(platform);
    const answer = await devices.begin(
      platform,
      device,
      { scope: 'read write', code_challenge: challenge, code_challenge_method: 'S256' },
      { 'user-agent': 'canary-program/1.0' },
    );
    const [terms] = await startedAfter(head);
    expect(terms).toMatchObject({
      clientId: device.clientId,
      via: 'device_authorization',
      scopes: ['read', 'write'],
      resources: ['https://gadgets.example/api'],
      codeChallenge: challenge,
      intervalSeconds: 5,
    });
    const logged = await world.everything();
    const { device_code: code, user_code: userCode, verification_uri_complete: complete } = answer.body;
    for (const secret of [code, userCode, String(complete).split('/').at(-1), 'canary-program']) expect(logged).not.toContain(secret);
  });

  test('gives the person another token than the agent, of the same session', async () => {
    const { device_code: code, verification_uri_complete: complete } = (await devices.begin(platform, device)).body;
    const [agents, persons] = [parseToken(String(code)), parseToken(String(complete).split('/').at(-1) ?? '')];
    expect([agents?.kind, persons?.kind]).toEqual(['session', 'link']);
    expect(persons?.payload.streamId).toBe(agents?.payload.streamId);
    expect(persons?.mac).not.toEqual(agents?.mac);
  });

  test.each([
    ['a scope that is none', { scope: 'read canary' }, 'invalid_scope'],
    ['a resource of somebody else', { resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['a plain challenge', { code_challenge: challenge, code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge without its method', { code_challenge: challenge }, 'invalid_request'],
    ['a NUL', { scope: 'read\0' }, 'invalid_request'],
  ])('refuses %s and begins nothing', async (_what, fields: Readonly<Record<string, string>>, error) => {
    const head = await world.head(platform);
    expect(await devices.begin(platform, device, fields)).toMatchObject({ status: 400, body: { error } });
    expect(await startedAfter(head)).toEqual([]);
  });

  test('refuses a device code in its URL, where logs would have it, even beside that in the form', async () => {
    const code = String((await devices.begin(platform, device)).body['device_code']);
    const form = { grant_type: deviceCodeGrant, client_id: device.clientId, device_code: code };
    expect(await devices.send(`/${platform}/oauth/token?device_code=${code}`, form)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'device_code must be sent in the request body, not in the URL' },
    });
    expect(await devices.poll(platform, device, code)).toMatchObject({ body: { error: 'authorization_pending' } });
  });

  test('requires a challenge where the platform requires one of agents', async () => {
    const strict = await devices.configure('careful', {
      presetClients: [{ clientId: 'unnamed', name: 'Unnamed', type: 'public', grantTypes: [deviceCodeGrant] }],
      agentSignUp: { unidentifiedClient: 'unnamed', codeChallengeRequired: true, intervalSeconds: 7 },
    });
    const mine = await devices.client(strict);
    expect(await devices.begin(strict, mine)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const proper = await devices.begin(strict, mine, { code_challenge: challenge, code_challenge_method: 'S256' });
    expect(proper).toMatchObject({ status: 200, body: { interval: 7 } });
  });
});

describe('its clients', () => {
  test('prove themselves as at the token endpoint', async () => {
    const withSecret = await devices.client(platform, { kind: 'confidential' });
    expect((await devices.begin(platform, withSecret)).status).toBe(200);
    for (const wrong of [
      { ...withSecret, secret: 'wrong' },
      { ...withSecret, secret: null },
      { clientId: 'nobody', secret: null },
    ]) {
      const refused = await devices.begin(platform, wrong);
      expect(refused).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(refused.headers['www-authenticate']).toBe('Basic realm="gadgets"');
    }
  });

  test('are of this platform and registered for this grant', async () => {
    const other = await devices.configure('appliances');
    expect(await devices.begin(other, device)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const without = await devices.client(platform, { grantTypes: ['authorization_code'], redirectUris: ['https://client.example/cb'] });
    expect(await devices.begin(platform, without)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });

  test('are approved', async () => {
    const waiting = await devices.client(platform, { approval: 'pending' });
    expect(await devices.begin(platform, waiting)).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });

  test('without a secret begin a hundred at once from one address; others have no such bound', async () => {
    for (let nth = 0; nth < 100; nth += 1) expect((await devices.begin(platform, device)).status).toBe(200);
    // One drains every six seconds, and a hundred take some.
    let [head, refused] = [await world.head(platform), await devices.begin(platform, device)];
    while (refused.status === 200) [head, refused] = [await world.head(platform), await devices.begin(platform, device)];
    expect(refused).toMatchObject({ status: 429, body: { error: 'slow_down' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await startedAfter(head)).toEqual([]);
    const withSecret = await devices.client(platform, { kind: 'confidential' });
    expect((await devices.begin(platform, withSecret)).status).toBe(200);
  }, 60_000);
});

describe('a platform', () => {
  const metadata = async (name: string) => (await world.app.inject(`/${name}/.well-known/oauth-authorization-server`)).json() as object;

  test('names the endpoint and the grant type where it has them', async () => {
    expect(await metadata('gadgets')).toMatchObject({
      device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
      grant_types_supported: ['authorization_code', 'refresh_token', deviceCodeGrant],
    });
  });

  test('names neither where it has no such grant, and answers there as if nothing were', async () => {
    expect(Object.keys(await metadata('arlo'))).not.toContain('device_authorization_endpoint');
    expect(JSON.stringify(await metadata('arlo'))).not.toContain('device');
    const machine = await devices.client(world.arlo, { grantTypes: ['authorization_code'], redirectUris: ['https://client.example/cb'] });
    expect(await devices.begin(world.arlo, machine)).toMatchObject({ status: 404, body: { error: 'not_found' } });
    expect(await devices.poll(world.arlo, machine, 'x')).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } });
  });

  test('begins nothing while it is suspended', async () => {
    const asleep = await devices.configure('asleep');
    const mine = await devices.client(asleep);
    const suspended = await world.call(await world.operator('operator'), 'POST', '/system/manage/platforms/asleep/suspend', {});
    expect(suspended.status).toBe(200);
    expect(await devices.begin(asleep, mine)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
  });
});
