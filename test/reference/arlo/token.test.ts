import { parseToken } from '@grantlog/crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, pkce } from '../../support/agent.ts';
import { claimsOf } from '../../support/consent.ts';
import type { TestClient } from '../../support/workbench.ts';
import { type Arlo, answerOf, callback, expectRefusal, startArlo } from './support/arlo.ts';

let arlo: Arlo;
let other: TestClient;
let app: TestClient;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
  other = await arlo.bench.client('arlo', { redirectUris: [callback], grantTypes: arlo.grantTypes });
  app = await arlo.bench.client('arlo', { redirectUris: [callback], kind: 'public' });
});
afterAll(() => arlo.stop());

const inBody = (client: TestClient) => ({ client_id: client.client_id, client_secret: client.client_secret });

describe('the token response', () => {
  test('has every documented field, and may not be stored by a cache', async () => {
    const { status, headers, body } = await arlo.redeem(await arlo.code());
    expect([status, headers.get('cache-control'), headers.get('content-type')]).toEqual([
      200,
      'no-store',
      'application/json; charset=utf-8',
    ]);
    expect(body).toEqual({
      id_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      access_token: expect.stringMatching(/^arlo_/),
      refresh_token: expect.stringMatching(/^arlo_/),
      expires_in: 3600,
      token_type: 'Bearer',
      scope: 'openid profile offline_access read all_claims',
    });
  });

  test('has an ID token about the person, for the client', async () => {
    const { id_token: idToken } = await arlo.connect();
    expect(claimsOf(idToken)).toMatchObject({ iss: arlo.issuer, aud: arlo.client.client_id, sub: arlo.account.id });
  });

  test('says in expires_in when the access token ends, and both tokens do end', async () => {
    const before = Math.floor(Date.now() / 1_000);
    const { body } = await arlo.redeem(await arlo.code());
    const { exp } = (await arlo.validate(String(body['access_token']))).body;
    expect(Math.abs(Number(exp) - before - Number(body['expires_in']))).toBeLessThan(10);
    const { body: refresh } = await arlo.introspect(String(body['refresh_token']));
    expect(Math.abs(Number(refresh['exp']) - before - 90 * 86_400)).toBeLessThan(10);
  });

  test('is the same at the canonical path', async () => {
    const form = { grant_type: 'authorization_code', code: await arlo.code(), redirect_uri: callback };
    const answer = await arlo.ask(arlo.at('/oauth/token'), { method: 'POST', headers: arlo.headers, body: new URLSearchParams(form) });
    expect(answer.status).toBe(200);
  });

  test('is not at the documented path on a platform that does not switch it on', async () => {
    const url = `${arlo.node()}/arlo-health/oauth/connect/token`;
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x' });
    expect((await arlo.ask(url, { method: 'POST', headers: arlo.headers, body })).status).toBe(404);
    expect((await arlo.ask(arlo.at('/oauth/connect/token'))).status).toBe(405);
  });
});

describe('the credentials of a client', () => {
  test('may be in the Authorization header, as the Base64 of id and secret', async () => {
    const authorization = `Basic ${btoa(`${arlo.client.client_id}:${arlo.client.client_secret}`)}`;
    expect((await arlo.redeem(await arlo.code(), {}, { authorization })).status).toBe(200);
  });

  test('may be in the body', async () => {
    expect((await arlo.redeem(await arlo.code(), inBody(arlo.client), {})).status).toBe(200);
  });

  test('may be in the header with client_id in the body beside it', async () => {
    expect((await arlo.redeem(await arlo.code(), { client_id: arlo.client.client_id })).status).toBe(200);
  });

  test('in both places are refused, whether they differ or not, and spend nothing', async () => {
    const code = await arlo.code();
    expectRefusal(await arlo.redeem(code, inBody(other)), 400, 'invalid_request', /one client authentication method/);
    expectRefusal(await arlo.redeem(code, inBody(arlo.client)), 400, 'invalid_request', /one client authentication method/);
    expectRefusal(await arlo.redeem(code, { client_id: other.client_id }), 400, 'invalid_request', /client_id differs/);
    expect((await arlo.redeem(code)).status).toBe(200);
  });

  test('that are wrong, unknown or missing are invalid_client, and spend nothing', async () => {
    const code = await arlo.code();
    const wrong = { authorization: basic({ ...arlo.client, client_secret: 'wrong' }) };
    const nobody = { authorization: basic({ client_id: 'nobody', client_secret: 'x' }) };
    for (const answer of [
      await arlo.redeem(code, {}, wrong),
      await arlo.redeem(code, {}, nobody),
      await arlo.redeem(code, {}, {}),
      await arlo.redeem(code, { client_id: arlo.client.client_id }, {}),
    ]) {
      expectRefusal(answer, 401, 'invalid_client');
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="arlo"');
    }
    expect((await arlo.redeem(code)).status).toBe(200);
  });

  test('are refused in the URL', async () => {
    const url = `${arlo.at('/oauth/connect/token')}?${new URLSearchParams(inBody(arlo.client))}`;
    const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x', redirect_uri: callback });
    expectRefusal(await arlo.ask(url, { method: 'POST', body }), 400, 'invalid_request', /not in the URL/);
  });
});

describe('a redemption', () => {
  test.each(['grant_type', 'code', 'redirect_uri'])('without %s is invalid_request and named, and spends nothing', async (name) => {
    const code = await arlo.code();
    expectRefusal(await arlo.redeem(code, { [name]: null }), 400, 'invalid_request', new RegExp(`^${name} is required`));
    expect((await arlo.redeem(code)).status).toBe(200);
  });

  test('with another redirect_uri than step 1 had is invalid_grant, and spends nothing', async () => {
    const code = await arlo.code();
    // The documents' own example sends another one than its step 1.
    const example = 'https://myapp.example.org/oauth/arlo/authcallback/';
    expectRefusal(await arlo.redeem(code, { redirect_uri: example }), 400, 'invalid_grant', /redirect_uri differs/);
    expectRefusal(await arlo.redeem(code, { redirect_uri: callback.slice(0, -1) }), 400, 'invalid_grant', /redirect_uri differs/);
    expect((await arlo.redeem(code)).status).toBe(200);
  });

  test('by another client is invalid_grant, and spends nothing', async () => {
    const code = await arlo.code();
    expectRefusal(await arlo.redeem(code, {}, { authorization: basic(other) }), 400, 'invalid_grant', /another client/);
    expect((await arlo.redeem(code)).status).toBe(200);
  });

  test('works once: the second ends what the first gave', async () => {
    const code = await arlo.code();
    const { body } = await arlo.redeem(code);
    expectRefusal(await arlo.redeem(code), 400, 'invalid_grant', /used before/);
    expect((await arlo.validate(String(body['access_token']))).status).toBe(400);
  });

  test('is of a code that ends within ten minutes', async () => {
    const seconds = (parseToken(await arlo.code())?.payload.expiresAt ?? Number.POSITIVE_INFINITY) - Date.now() / 1_000;
    expect(seconds).toBeLessThanOrEqual(600);
    expect(seconds).toBeGreaterThan(60);
  });

  test('takes a form and nothing else', async () => {
    const json = JSON.stringify({ grant_type: 'authorization_code', code: 'x', redirect_uri: callback });
    const init = { method: 'POST', headers: { ...arlo.headers, 'content-type': 'application/json' }, body: json };
    expectRefusal(await arlo.ask(arlo.at('/oauth/connect/token'), init), 415, 'invalid_request', /form-urlencoded/);
  });

  test.each([
    'password',
    'client_credentials',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:token-exchange',
  ])('by grant_type=%s is unsupported_grant_type, which lists what this platform has', async (grantType) => {
    const form = { grant_type: grantType, username: 'x', password: 'x' };
    expectRefusal(await arlo.token(form), 400, 'unsupported_grant_type', /^grant_type must be one of authorization_code, refresh_token$/);
  });
});

describe('PKCE', () => {
  const challenged = () => {
    const { verifier, challenge } = pkce();
    return { verifier, request: { code_challenge: challenge, code_challenge_method: 'S256' } };
  };

  test('is required of a public client, which has no secret to prove itself with', async () => {
    const refused = await arlo.request({ client_id: app.client_id });
    expect(answerOf(refused)).toMatchObject({ error: 'invalid_request', error_description: expect.stringContaining('code_challenge') });
    const { verifier, request } = challenged();
    const code = await arlo.code({ client_id: app.client_id, ...request });
    expect((await arlo.redeem(code, { client_id: app.client_id, code_verifier: verifier }, {})).status).toBe(200);
  });

  test('may be used by a confidential client, and then its verifier is required', async () => {
    const { verifier, request } = challenged();
    const code = await arlo.code(request);
    expectRefusal(await arlo.redeem(code), 400, 'invalid_grant', /code_verifier is required/);
    expectRefusal(await arlo.redeem(code, { code_verifier: 'a'.repeat(43) }), 400, 'invalid_grant', /does not match/);
    expect((await arlo.redeem(code, { code_verifier: verifier })).status).toBe(200);
  });

  test('is not pretended: a verifier without a challenge is refused, and spends nothing', async () => {
    const code = await arlo.code();
    expectRefusal(await arlo.redeem(code, { code_verifier: 'a'.repeat(43) }), 400, 'invalid_grant', /had no code_challenge/);
    expect((await arlo.redeem(code)).status).toBe(200);
  });

  test('is S256 alone: plain and a method left out are refused', async () => {
    const challenge = 'a'.repeat(43);
    for (const method of ['plain', null, 's256'])
      expect(answerOf(await arlo.request({ code_challenge: challenge, code_challenge_method: method }))['error']).toBe('invalid_request');
    expect(answerOf(await arlo.request({ code_challenge_method: 'S256' }))['error']).toBe('invalid_request');
  });
});
