import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ArloHealth, startArloHealth, type Tokens } from './support/arlo-health.ts';
import { curl } from './support/doors.ts';

let health: ArloHealth;
beforeAll(async () => {
  health = await startArloHealth(inject('databaseUrl'), { workers: 0 });
});
afterAll(() => health.stop());

/** What an agent reads of one refusal over REST. */
type Refused = {
  readonly status: number;
  readonly error: unknown;
  readonly resolution: unknown;
  readonly challenge: string;
};

const overRest = async (token: string | null): Promise<Refused> => {
  const bearer = token === null ? [] : ['-H', `Authorization: Bearer ${token}`];
  const { status, headers, body } = await curl(...bearer, `${health.issuer}/rest/account-status`);
  const { error, resolution } = JSON.parse(body) as { readonly error: unknown; readonly resolution: unknown };
  return { status, error, resolution, challenge: /^www-authenticate: (.*)$/im.exec(headers)?.[1] ?? '' };
};

/** The same call by MCP, as bytes: a call without a good token is answered before any tool, by HTTP. */
const overMcp = async (token: string | null): Promise<Refused> => {
  const answer = await fetch(`${health.issuer}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'check_account_status', arguments: {} } }),
  });
  const { error } = (await answer.json()) as {
    readonly error: { readonly data: { readonly error: unknown; readonly resolution: unknown } };
  };
  return { status: answer.status, ...error.data, challenge: answer.headers.get('www-authenticate') ?? '' };
};

const connect = async (): Promise<Tokens> => health.connect(await health.person('Ada'), await health.begin(health.door('curl over REST')));

describe.each([
  ['REST', overRest],
  ['MCP', overMcp],
] as const)('over %s', (_, ask) => {
  test('not_authenticated: no valid session, so call init_signup; without a token the challenge names no error', async () => {
    const none = await ask(null);
    expect(none).toMatchObject({ status: 401, error: 'not_authenticated', resolution: expect.stringContaining('init_signup') });
    expect(none.challenge).toMatch(/^Bearer .*resource_metadata="/);
    expect(none.challenge).not.toContain('error=');
    const wrong = await ask('arh_at_not-a-token');
    expect(wrong).toMatchObject({ status: 401, error: 'not_authenticated', challenge: expect.stringContaining('error="invalid_token"') });
  });

  test('token_expired: the access token is over and the session is not, so refresh it', async () => {
    const tokens = await connect();
    // Revoked by itself it is as dead as one that has run out, and the refresh token lives.
    await health.revoke(tokens.access_token);
    expect(await ask(tokens.access_token)).toMatchObject({
      status: 401,
      error: 'token_expired',
      resolution: expect.stringContaining('grant_type=refresh_token'),
      challenge: expect.stringContaining('error="'),
    });
    const refreshed = (await health.refresh(tokens.refresh_token)).body as unknown as Tokens;
    expect(refreshed.access_token).toEqual(expect.any(String));
  });

  test('session_revoked: somebody has ended the access, so authenticate again', async () => {
    const tokens = await connect();
    await health.revoke(tokens.refresh_token);
    expect(await ask(tokens.access_token)).toMatchObject({
      status: 401,
      error: 'session_revoked',
      resolution: expect.stringContaining('init_signup'),
      challenge: expect.stringContaining('error="invalid_token"'),
    });
  });

  test('a token of another kind is not_authenticated, and gives away nothing', async () => {
    const { refresh_token: refresh } = await connect();
    expect(await ask(refresh)).toMatchObject({ status: 401, error: 'not_authenticated' });
  });
});

describe('invalid_grant', () => {
  test('is what the token endpoint says of a refresh token that is good for nothing, with 400', async () => {
    const tokens = await connect();
    await health.revoke(tokens.refresh_token);
    for (const token of [tokens.refresh_token, 'arh_rt_made-up']) {
      const { status, body } = await health.refresh(token);
      expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    }
  });

  test('is what every door says of a sessionId that is none', async () => {
    for (const name of ['SDK 1.32', 'client v2 negotiating', 'curl over REST']) {
      const refused = await health.door(name).call('check_account_status', { sessionId: 'sess_abc123' });
      expect([refused.ok, refused.body]).toEqual([
        false,
        expect.objectContaining({ error: 'invalid_grant', status: 400, resolution: expect.stringContaining('init_signup') }),
      ]);
    }
  });
});

describe('what else is refused', () => {
  test('polling faster than the interval, with how long to wait', async () => {
    const door = health.door('curl over REST');
    const { sessionId } = await health.begin(door);
    await door.call('check_account_status', { sessionId });
    expect(await door.call('check_account_status', { sessionId })).toMatchObject({
      ok: false,
      body: { error: 'slow_down', status: 429, retry_after: 5 },
    });
  });

  test('a baseUrl that is another server’s, with what it should be', async () => {
    for (const name of ['client v2 negotiating', 'curl over REST']) {
      const refused = await health.door(name).call('init_signup', { baseUrl: 'https://mcp.arlohealth.ai' });
      expect(refused).toMatchObject({
        ok: false,
        body: { error: 'invalid_request', resolution: expect.any(String) },
      });
      expect(JSON.stringify(refused.body)).toContain(`baseUrl must be this server: ${health.issuer}/mcp`);
    }
  });

  test.each([
    ['a private address', 'https://10.0.0.7/hook'],
    ['this very machine', 'https://127.0.0.1/hook'],
    ['the cloud’s metadata', 'http://169.254.169.254/latest/meta-data'],
    ['what is no URL', 'your-agent.com/hooks'],
  ])('a webhook at %s', async (_, webhookUrl) => {
    // Loopback is allowed for trying things out; without that it is as private as the rest.
    await health.configure({ webhooks: { allowLoopback: false } });
    const refused = await health.door('curl over REST').call('init_signup', { baseUrl: health.issuer, webhookUrl });
    expect(refused).toMatchObject({ ok: false, body: { error: 'invalid_request' } });
    expect(JSON.stringify(refused.body)).toMatch(/webhookUrl/);
  });
});
