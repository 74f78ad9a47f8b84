import { mintToken, type TokenKind } from '@grantlog/crypto';
import { createPool, type Pool } from '@grantlog/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post, type Tokens } from '../support/agent.ts';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { type Begun, createDevice, deviceDocument, deviceGrantTypes, type TestDevice } from '../support/device.ts';
import { linkSession } from '../support/link-session.ts';
import { openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** Two platforms as alike as they can be; the device's id and secret are the same on both. */
const [platform, twin] = ['gadgets', 'gizmos'];

let deployment: Deployment;
let bench: Workbench;
let pool: Pool;
let account: TestAccount;
let client: TestClient;
let device: TestDevice;
let sameElsewhere: TestDevice;
let stranger: TestDevice;
let nameless: TestDevice;
let flow: ConsentFlow;
let api: { readonly url: string };

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  pool = createPool({ connectionString: deployment.databaseUrl, role: 'grantlog_api', max: 2 });
  api = deployment.apis[0] as { readonly url: string };
  for (const name of [platform, twin]) await bench.configure(name, deviceDocument);
  account = await bench.account(platform);
  const register = (of: string, change: object = {}): Promise<TestClient> =>
    bench.client(of, { grantTypes: [...deviceGrantTypes, 'authorization_code'], ...change });
  client = await register(platform, { clientId: 'same' });
  const there = await register(twin, { clientId: 'same', secret: client.client_secret });
  device = createDevice({ platform, client });
  sameElsewhere = createDevice({ platform: twin, client: there });
  stranger = createDevice({ platform, client: await register(platform) });
  nameless = createDevice({ platform, client: await register(platform, { kind: 'public' }) });
  flow = createConsentFlow({ deployment, platform, client, account });
});
beforeEach(() => pool.query('delete from attempt_bucket'));
afterAll(async () => {
  await pool.end();
  await bench.close();
  await deployment.stop();
});

const link = (sessionId: string, by = account): Promise<void> => linkSession(bench.context, { platform, sessionId, account: by.id });
const begun = async (by = device): Promise<Begun> => by.begin(api, { scope: 'openid read' });
const linked = async (): Promise<Begun> => {
  const session = await begun();
  await link(session.deviceCode);
  return session;
};
const refusedWith = (answer: Answer, error: string, status = 400): void =>
  expect({ status: answer.status, error: answer.body['error'] }).toEqual({ status, error });
const head = async (): Promise<number> =>
  (await pool.query<{ head: number }>('select max(position)::int as head from event where platform = $1', [platform])).rows[0]?.head ?? 0;
const bearer = async (path: string, token: string): Promise<number> =>
  (await fetch(device.at(api, path), { headers: { authorization: `Bearer ${token}` } })).status;

describe('the tokens of a session', () => {
  test.each([
    ['the device code', ({ deviceCode }: Begun) => deviceCode],
    ['the link', ({ link: token }: Begun) => token],
  ])('%s is no token of any endpoint but its own, and survives being shown to them', async (_what, of) => {
    for (const session of [await begun(), await linked()]) {
      const token = of(session);
      const before = await head();
      expect((await device.introspect(api, token)).body).toEqual({ active: false });
      expect((await device.revoke(api, token)).status).toBe(200);
      expect(await bearer('/oauth/userinfo', token)).toBe(401);
      expect(await bearer('/manage/grants', token)).toBe(401);
      expect((await fetch(device.at(api, `/oauth/connect/accesstokenvalidation?token=${token}`))).status).toBe(400);
      refusedWith(await device.refresh(api, token), 'invalid_grant');
      refusedWith(await flow.redeem(token), 'invalid_grant');
      expect(await head()).toBe(before);
    }
    const session = await linked();
    for (const path of ['/oauth/revoke', '/oauth/introspect']) await device.ask(api, path, { token: of(session) });
    expect((await device.poll(api, session.deviceCode)).status).toBe(200);
  });

  test('neither link nor user code is a device code', async () => {
    const session = await linked();
    for (const wrong of [session.link, session.userCode, session.userCode.replace('-', '')])
      refusedWith(await device.poll(api, wrong), 'invalid_grant');
    expect((await device.poll(api, session.deviceCode)).status).toBe(200);
  });

  test('no code, access token, refresh token or ID token is a device code, and none is spent by it', async () => {
    const code = await flow.code();
    refusedWith(await device.poll(api, code), 'invalid_grant');
    const tokens = (await flow.redeem(code)).body as unknown as Tokens;
    const mine = (await device.poll(api, (await linked()).deviceCode)).body as unknown as Tokens;
    for (const wrong of [tokens, mine].flatMap((each) => [each.access_token, each.refresh_token, each.id_token ?? '']))
      refusedWith(await device.poll(api, wrong), 'invalid_grant');
    for (const each of [tokens, mine]) expect((await device.introspect(api, each.access_token)).body).toMatchObject({ active: true });
    expect((await flow.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test('any character of a device code changed makes it invalid_grant, and costs the session nothing', async () => {
    const { deviceCode } = await linked();
    for (let at = 0; at < deviceCode.length; at += 1) {
      const changed = `${deviceCode.slice(0, at)}${deviceCode[at] === 'a' ? 'b' : 'a'}${deviceCode.slice(at + 1)}`;
      refusedWith(await device.poll(api, changed), 'invalid_grant');
    }
    for (const wrong of [`${deviceCode}a`, ` ${deviceCode}`, deviceCode.slice(0, -1), deviceCode.toUpperCase()])
      refusedWith(await device.poll(api, wrong), 'invalid_grant');
    expect((await device.poll(api, deviceCode)).status).toBe(200);
  });
});

describe('whoever has somebody else’s device code', () => {
  test('gets nothing on another platform, with a client of the same id and secret', async () => {
    const waiting = await begun();
    const session = await linked();
    for (const { deviceCode } of [waiting, session]) refusedWith(await sameElsewhere.poll(api, deviceCode), 'invalid_grant');
    const tokens = (await device.poll(api, session.deviceCode)).body as unknown as Tokens;
    refusedWith(await sameElsewhere.poll(api, session.deviceCode), 'invalid_grant');
    expect((await device.introspect(api, tokens.access_token)).body).toMatchObject({ active: true });
    refusedWith(await device.poll(api, waiting.deviceCode), 'authorization_pending');
  });

  test('gets nothing as another client, and neither slows down nor ends the session of its own', async () => {
    const session = await begun();
    for (const thief of [stranger, nameless]) refusedWith(await thief.poll(api, session.deviceCode), 'invalid_grant');
    refusedWith(await device.poll(api, session.deviceCode), 'authorization_pending');
    await link(session.deviceCode);
    for (const thief of [stranger, nameless]) refusedWith(await thief.poll(api, session.deviceCode), 'invalid_grant');
    const tokens = (await device.poll(api, session.deviceCode)).body as unknown as Tokens;
    for (const thief of [stranger, nameless]) refusedWith(await thief.poll(api, session.deviceCode), 'invalid_grant');
    expect((await device.introspect(api, tokens.access_token)).body).toMatchObject({ active: true });
  });

  test('gets nothing as the same client without its secret', async () => {
    const { deviceCode } = await linked();
    const form = { grant_type: deviceGrantTypes[0], device_code: deviceCode };
    refusedWith(await post(device.at(api, '/oauth/token'), { ...form, client_id: client.client_id }), 'invalid_client', 401);
    const wrong = basic({ ...client, client_secret: 'wrong' });
    refusedWith(await post(device.at(api, '/oauth/token'), form, { authorization: wrong }), 'invalid_client', 401);
    expect((await device.poll(api, deviceCode)).status).toBe(200);
  });
});

test('a well-formed device code that names any stream whatever is refused, and is no defect', async () => {
  await device.poll(api, (await linked()).deviceCode);
  const forge = (streamId: string, kind: TokenKind): string =>
    mintToken({
      prefix: 'tst',
      kind,
      platform,
      key: new Uint8Array(32),
      nonce: new Uint8Array(32),
      payload: { streamId, sequence: 0, expiresAt: 4_000_000_000, keyId: 1, scopes: [], resource: null },
    });
  const { rows } = await pool.query<{ stream_id: string; type: string }>(
    `select distinct on (split_part(type, '.', 1)) stream_id, type from event where platform = $1 order by split_part(type, '.', 1), version`,
    [platform],
  );
  expect(rows.map(({ type }) => type.split('.')[0])).toEqual(
    expect.arrayContaining(['account', 'client', 'grant', 'name', 'platform', 'session', 'signing_key']),
  );
  for (const { stream_id: stream, type } of rows) {
    expect((await device.poll(api, forge(stream, 'session'))).body, type).toMatchObject({ error: 'invalid_grant' });
    expect((await device.poll(api, forge(stream, 'link'))).body, type).toMatchObject({ error: 'invalid_grant' });
  }
  expect(await deployment.allLogs()).not.toContain('request failed');
});

test('neither device code, link nor user code stands in a log line or in an event', async () => {
  const session = await linked();
  await device.poll(api, session.deviceCode);
  await device.poll(api, session.link);
  await fetch(device.at(api, `/oauth/token?device_code=${session.deviceCode}&user_code=${session.userCode}`), { method: 'POST' });
  const { rows } = await pool.query<{ text: string }>(
    `select string_agg(data::text || actor::text || correlation_id, ' ') as text from event where platform = $1`,
    [platform],
  );
  const written = `${await deployment.allLogs()} ${rows[0]?.text}`;
  for (const secret of Object.values(session)) expect(written).not.toContain(secret);
});
