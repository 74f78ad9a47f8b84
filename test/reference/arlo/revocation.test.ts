import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic } from '../../support/agent.ts';
import type { TestClient } from '../../support/workbench.ts';
import { type Arlo, callback, expectRefusal, startArlo } from './support/arlo.ts';

let arlo: Arlo;
let other: TestClient;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
  other = await arlo.bench.client('arlo', { redirectUris: [callback], grantTypes: arlo.grantTypes });
});
afterAll(() => arlo.stop());

describe('revocation', () => {
  test.each(['access_token', undefined])('of an access token (hint %s) answers 200 and leaves the refresh token good', async (hint) => {
    const tokens = await arlo.connect();
    const answer = await arlo.revoke({ token: tokens.access_token, ...(hint === undefined ? {} : { token_type_hint: hint }) });
    expect([answer.status, answer.headers.get('cache-control'), answer.body]).toEqual([200, 'no-store', { text: '' }]);
    expect((await arlo.validate(tokens.access_token)).status).toBe(400);
    expect((await arlo.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test.each(['refresh_token', undefined])('of a refresh token (hint %s) answers 200 and ends its access tokens, too', async (hint) => {
    const tokens = await arlo.connect();
    const answer = await arlo.revoke({ token: tokens.refresh_token, ...(hint === undefined ? {} : { token_type_hint: hint }) });
    expect(answer.status).toBe(200);
    expect((await arlo.validate(tokens.access_token)).status).toBe(400);
    expectRefusal(await arlo.refresh(tokens.refresh_token), 400, 'invalid_grant');
  });

  test.each(['refresh_token', 'id_token', 'nonsense'])('finds an access token under the wrong or unknown hint %s', async (hint) => {
    const { access_token: token } = await arlo.connect();
    expect((await arlo.revoke({ token, token_type_hint: hint })).status).toBe(200);
    expect((await arlo.validate(token)).status).toBe(400);
  });

  test('takes effect at once on every other process', async () => {
    const tokens = await arlo.connect();
    const [first, second] = arlo.deployment.apis;
    const query = new URLSearchParams({ token: tokens.access_token });
    const authorization = `Bearer ${tokens.access_token}`;
    const asked = async (): Promise<readonly number[]> =>
      Promise.all(
        [first, second].flatMap((api) => [
          arlo.ask(`${api?.url}/arlo/oauth/connect/accesstokenvalidation?${query}`).then(({ status }) => status),
          arlo.ask(`${api?.url}/arlo/oauth/userinfo`, { headers: { authorization } }).then(({ status }) => status),
        ]),
      );
    // Both have seen it alive: whoever remembered that would say so below.
    expect(await asked()).toEqual([200, 200, 200, 200]);
    const body = new URLSearchParams({ token: tokens.access_token });
    const revoked = await arlo.ask(`${first?.url}/arlo/oauth/connect/revocation`, { method: 'POST', headers: arlo.headers, body });
    expect(revoked.status).toBe(200);
    expect(await asked()).toEqual([400, 401, 400, 401]);
  });

  test('answers 200 for tokens that are unknown, malformed or revoked before', async () => {
    const tokens = await arlo.connect();
    for (const token of ['4cfc8af8a1cd99ecdcf090dafea14632', 'nonsense', tokens.access_token, tokens.access_token])
      expect((await arlo.revoke({ token })).status).toBe(200);
  });

  test('answers 400 where the token is missing, and names it', async () => {
    expectRefusal(await arlo.revoke({}), 400, 'invalid_request', /^token is required$/);
    expectRefusal(await arlo.revoke({ token_type_hint: 'access_token' }), 400, 'invalid_request', /^token is required$/);
  });

  test('takes the credentials of the client in the header or in the body, and not in both', async () => {
    const inBody = { client_id: arlo.client.client_id, client_secret: arlo.client.client_secret };
    const tokens = await arlo.connect();
    expectRefusal(await arlo.revoke({ token: tokens.access_token, ...inBody }), 400, 'invalid_request', /one client authentication method/);
    expect((await arlo.validate(tokens.access_token)).status).toBe(200);
    expect((await arlo.revoke({ token: tokens.access_token, ...inBody }, {})).status).toBe(200);
    expect((await arlo.validate(tokens.access_token)).status).toBe(400);
  });

  test('by a client without good credentials is 401, by another client 400, and ends nothing', async () => {
    const { access_token: token } = await arlo.connect();
    expectRefusal(await arlo.revoke({ token }, {}), 401, 'invalid_client');
    expectRefusal(
      await arlo.revoke({ token }, { authorization: basic({ ...arlo.client, client_secret: 'wrong' }) }),
      401,
      'invalid_client',
    );
    expectRefusal(await arlo.revoke({ token }, { authorization: basic(other) }), 400, 'unauthorized_client', /another client/);
    expect((await arlo.validate(token)).status).toBe(200);
  });

  test('is not at the documented path on a platform that does not switch it on, nor by GET', async () => {
    const url = `${arlo.node()}/arlo-health/oauth/connect/revocation`;
    const init = { method: 'POST', headers: arlo.headers, body: new URLSearchParams({ token: 'x' }) };
    expect((await arlo.ask(url, init)).status).toBe(404);
    expect((await arlo.ask(arlo.at('/oauth/connect/revocation'))).status).toBe(405);
  });
});
