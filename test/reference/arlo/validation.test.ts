import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Tokens } from '../../support/agent.ts';
import { createConsentFlow } from '../../support/consent.ts';
import { type Arlo, expectRefusal, resourcePath, startArlo } from './support/arlo.ts';
import { expiredTokenOf } from './support/expired-token.ts';

let arlo: Arlo;
let tokens: Tokens;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
  tokens = await arlo.connect();
});
afterAll(() => arlo.stop());

const path = '/oauth/connect/accesstokenvalidation';

describe('accesstokenvalidation', () => {
  test('answers 200 with claims about a good token, asks for no credentials, and may not be cached', async () => {
    const { status, headers, body } = await arlo.validate(tokens.access_token);
    expect([status, headers.get('cache-control'), headers.get('content-type')]).toEqual([
      200,
      'no-store',
      'application/json; charset=utf-8',
    ]);
    expect(body).toEqual({
      iss: arlo.issuer,
      aud: `${arlo.issuer}${resourcePath}`,
      client_id: arlo.client.client_id,
      sub: arlo.account.id,
      scope: 'openid profile offline_access read all_claims',
      token_type: 'Bearer',
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
      grant_id: expect.any(String),
    });
  });

  test('says nothing personal', async () => {
    const told = JSON.stringify((await arlo.validate(tokens.access_token)).body);
    expect(told).not.toContain(arlo.account.email);
    expect(told).not.toContain('Kiri');
  });

  const bad: readonly (readonly [string, () => string | Promise<string>])[] = [
    ['an expired one', () => expiredTokenOf(arlo.bench, 'arlo', tokens.access_token)],
    [
      'a revoked one',
      async () => {
        const { access_token: revoked } = await arlo.connect();
        await arlo.revoke({ token: revoked });
        return revoked;
      },
    ],
    ['a refresh token', () => tokens.refresh_token],
    ['an ID token', () => tokens.id_token ?? ''],
    ['a code', () => arlo.code()],
    ['the documented example', () => '649179135ca5df91b1f5ba6fc85b6df'],
    [
      'one with a character changed',
      () => `${tokens.access_token.slice(0, -8)}${tokens.access_token.at(-8) === 'A' ? 'B' : 'A'}${tokens.access_token.slice(-7)}`,
    ],
    ['one with a NUL', () => `${tokens.access_token}\0`],
  ];
  test.each(bad)('answers 400 for %s', async (_what, make) => {
    const answer = await arlo.validate(await make());
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([400, 'no-store']);
    expect(Object.keys(answer.body).sort()).toEqual(['error', 'error_description']);
  });

  test('answers 400 for a token of another platform, that is good there', async () => {
    const platform = 'elsewhere';
    await arlo.bench.configure(platform);
    const client = await arlo.bench.client(platform);
    const flow = createConsentFlow({ deployment: arlo.deployment, platform, client, account: await arlo.bench.account(platform) });
    const token = String((await flow.redeem(await flow.code())).body['access_token']);
    expect((await arlo.ask(`${arlo.node()}/${platform}${path}?token=${token}`)).status).toBe(200);
    expectRefusal(await arlo.validate(token), 400, 'invalid_token');
  });

  test('answers 400 for a token that is missing or there twice, and names it', async () => {
    expectRefusal(await arlo.ask(arlo.at(path)), 400, 'invalid_request', /^token is required$/);
    expectRefusal(await arlo.ask(`${arlo.at(path)}?token=`), 400, 'invalid_request', /^token is required$/);
    expectRefusal(await arlo.ask(`${arlo.at(path)}?token=a&token=b`), 400, 'invalid_request', /^token is repeated$/);
  });

  test('takes GET alone', async () => {
    const url = `${arlo.at(path)}?token=${tokens.access_token}`;
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE']) {
      const answer = await arlo.ask(url, { method });
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'GET']);
    }
  });

  test('is not on a platform that does not switch it on', async () => {
    const answer = await arlo.ask(`${arlo.node()}/arlo-health${path}?token=${tokens.access_token}`);
    expect([answer.status, answer.body['error']]).toEqual([404, 'not_found']);
  });

  test('leaves the token in no log', async () => {
    await arlo.validate(tokens.access_token);
    const logs = await arlo.deployment.allLogs();
    expect(logs).toContain('accesstokenvalidation?token=[redacted]');
    for (const secret of [tokens.access_token, tokens.refresh_token, '649179135ca5df91b1f5ba6fc85b6df']) expect(logs).not.toContain(secret);
  });
});

describe('the bound on accesstokenvalidation', () => {
  /** Asks one process from an address of this machine's loopback network. */
  const from = (localAddress: string, target: string): Promise<{ status: number; retryAfter: string | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      const url = new URL(target, arlo.deployment.apis[0]?.url);
      request(url, { localAddress, family: 4 }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += String(chunk);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body }));
      })
        .on('error', reject)
        .end();
    });
  const many = async (count: number, localAddress: string): Promise<readonly number[]> => {
    const statuses: number[] = [];
    for (let sent = 0; sent < count; sent += 20)
      for (const { status } of await Promise.all(Array.from({ length: 20 }, () => from(localAddress, `/arlo${path}?token=x`))))
        statuses.push(status);
    return statuses;
  };

  test('lets 600 a minute through for an address, and says to the next when to come back', async () => {
    expect(new Set(await many(600, '127.0.0.77'))).toEqual(new Set([400]));
    const refused = await from('127.0.0.77', `/arlo${path}?token=${tokens.access_token}`);
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toEqual({ error: 'slow_down', error_description: expect.stringContaining('Retry-After') });
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(60);
    // Nobody else pays for it, and no other endpoint counts.
    expect((await from('127.0.0.78', `/arlo${path}?token=${tokens.access_token}`)).status).toBe(200);
    expect((await from('127.0.0.77', '/arlo/.well-known/jwks.json')).status).toBe(200);
  });
});

describe('the challenge of userinfo', () => {
  const challenge = async (authorization?: string): Promise<readonly [number, string | null]> => {
    const answer = await arlo.ask(arlo.at('/oauth/userinfo'), authorization === undefined ? {} : { headers: { authorization } });
    return [answer.status, answer.headers.get('www-authenticate')];
  };

  test('has no error where no credentials came, and always the platform as its realm', async () => {
    expect(await challenge()).toEqual([401, 'Bearer realm="arlo", scope="openid"']);
  });

  test('says invalid_token, with the documented error_message', async () => {
    for (const wrong of ['Bearer my_invalid_token', 'Bearer not/a token', `Bearer ${tokens.refresh_token}`]) {
      const [status, header] = await challenge(wrong);
      expect(status).toBe(401);
      expect(header).toMatch(/^Bearer realm="arlo", error="invalid_token", error_description="([^"]+)", error_message="\1"$/);
    }
  });

  test('says expired_token of a token that is out of time', async () => {
    const [status, header] = await challenge(`Bearer ${await expiredTokenOf(arlo.bench, 'arlo', tokens.access_token)}`);
    expect(status).toBe(401);
    expect(header).toMatch(/^Bearer realm="arlo", error="expired_token", .*error_message="The access token has expired"/);
  });

  test('says insufficient_scope with the scope that is lacking, also as scopes', async () => {
    const { body } = await arlo.refresh((await arlo.connect()).refresh_token, { scope: 'profile read' });
    const [status, header] = await challenge(`Bearer ${String(body['access_token'])}`);
    expect(status).toBe(403);
    expect(header).toMatch(/^Bearer realm="arlo", error="insufficient_scope", .*scope="openid".*scopes="openid"/);
  });

  test('speaks RFC 6750 alone on a platform without the switch', async () => {
    const health = `${arlo.node()}/arlo-health/oauth/userinfo`;
    const answer = await arlo.ask(health, { headers: { authorization: 'Bearer my_invalid_token' } });
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="arlo-health", error="invalid_token", error_description="[^"]+"$/,
    );
  });
});
