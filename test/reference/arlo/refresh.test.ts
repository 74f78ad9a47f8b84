import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic } from '../../support/agent.ts';
import { claimsOf } from '../../support/consent.ts';
import type { TestClient } from '../../support/workbench.ts';
import { type Arlo, callback, expectRefusal, startArlo } from './support/arlo.ts';
import { expiredTokenOf } from './support/expired-token.ts';

let arlo: Arlo;
let other: TestClient;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
  other = await arlo.bench.client('arlo', { redirectUris: [callback], grantTypes: arlo.grantTypes });
});
afterAll(() => arlo.stop());

describe('a refresh', () => {
  test('gives every documented field anew, and a new refresh token', async () => {
    const first = await arlo.connect();
    const { status, headers, body } = await arlo.refresh(first.refresh_token);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      id_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      access_token: expect.stringMatching(/^arlo_/),
      refresh_token: expect.stringMatching(/^arlo_/),
      expires_in: 3600,
      token_type: 'Bearer',
      scope: 'openid profile offline_access read all_claims',
    });
    expect([body['access_token'], body['refresh_token']]).not.toContain(first.access_token);
    expect(body['refresh_token']).not.toBe(first.refresh_token);
    expect(claimsOf(body['id_token'])).toMatchObject({ sub: arlo.account.id, aud: arlo.client.client_id });
  });

  test('works before the access token expires and after it', async () => {
    const first = await arlo.connect();
    expect((await arlo.validate(await expiredTokenOf(arlo.bench, 'arlo', first.access_token))).status).toBe(400);
    const second = await arlo.refresh(first.refresh_token);
    expect((await arlo.validate(String(second.body['access_token']))).status).toBe(200);
    expect((await arlo.refresh(String(second.body['refresh_token']))).status).toBe(200);
  });

  test('is strict: the token of before, used again, ends the grant', async () => {
    const first = await arlo.connect();
    const { body: second } = await arlo.refresh(first.refresh_token);
    expectRefusal(await arlo.refresh(first.refresh_token), 400, 'invalid_grant', /used before/);
    expectRefusal(await arlo.refresh(String(second['refresh_token'])), 400, 'invalid_grant');
    expect((await arlo.validate(String(second['access_token']))).status).toBe(400);
  });

  test('takes the credentials of the client in the body', async () => {
    const { refresh_token: token } = await arlo.connect();
    const form = { client_id: arlo.client.client_id, client_secret: arlo.client.client_secret };
    expect((await arlo.refresh(token, form, {})).status).toBe(200);
  });

  test('by another client or without its secret is refused, and spends nothing', async () => {
    const { refresh_token: token } = await arlo.connect();
    expectRefusal(await arlo.refresh(token, {}, { authorization: basic(other) }), 400, 'invalid_grant', /another client/);
    expectRefusal(await arlo.refresh(token, { client_id: arlo.client.client_id }, {}), 401, 'invalid_client');
    expect((await arlo.refresh(token)).status).toBe(200);
  });

  test.each(['grant_type', 'refresh_token'])('without %s is invalid_request and named', async (name) => {
    const { refresh_token: token } = await arlo.connect();
    expectRefusal(await arlo.refresh(token, { [name]: null }), 400, 'invalid_request', new RegExp(`^${name} is required`));
    expect((await arlo.refresh(token)).status).toBe(200);
  });

  test('of anything but a refresh token of this client is invalid_grant', async () => {
    const tokens = await arlo.connect();
    for (const wrong of [tokens.access_token, tokens.id_token ?? '', await arlo.code(), 'nonsense'])
      expectRefusal(await arlo.refresh(wrong), 400, 'invalid_grant');
    expect((await arlo.refresh(tokens.refresh_token)).status).toBe(200);
  });
});

describe('redirect_uri of a refresh', () => {
  test('is accepted where it is that of step 1, and may be left out', async () => {
    const { refresh_token: token } = await arlo.connect();
    const { status, body } = await arlo.refresh(token, { redirect_uri: callback });
    expect(status).toBe(200);
    expect((await arlo.refresh(String(body['refresh_token']), { redirect_uri: null })).status).toBe(200);
  });

  test('that differs is invalid_grant; nothing is spent and nothing revoked', async () => {
    const tokens = await arlo.connect();
    for (const redirectUri of ['https://myapp.example.org/oauth/arlo/authcallback/', callback.slice(0, -1)])
      expectRefusal(await arlo.refresh(tokens.refresh_token, { redirect_uri: redirectUri }), 400, 'invalid_grant', /redirect_uri differs/);
    expect((await arlo.validate(tokens.access_token)).status).toBe(200);
    const { status, body } = await arlo.refresh(tokens.refresh_token);
    expect(status).toBe(200);
    // Nor does a spent token end anything by it.
    expectRefusal(await arlo.refresh(tokens.refresh_token, { redirect_uri: 'https://evil.example/' }), 400, 'invalid_grant', /differs/);
    expect((await arlo.refresh(String(body['refresh_token']))).status).toBe(200);
  });
});

test("the documents' broken example body is told which parameter it lacks", async () => {
  const { refresh_token: token } = await arlo.connect();
  const body = `grant_type=refresh_token&code=refresh_token=${token}&redirect_uri=${callback}`;
  const headers = { ...arlo.headers, 'content-type': 'application/x-www-form-urlencoded' };
  expectRefusal(
    await arlo.ask(arlo.at('/oauth/connect/token'), { method: 'POST', headers, body }),
    400,
    'invalid_request',
    /^refresh_token is required$/,
  );
  expect((await arlo.refresh(token)).status).toBe(200);
});
