import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openRegistrations, type Registrations } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const site = { client_name: 'A site', redirect_uris: ['https://a.example/cb'] };
const refusal = (status: number, error: string, words: string) => ({
  status,
  body: { error, error_description: expect.stringContaining(words) },
});

describe('a registration is refused', () => {
  test.each([
    ['javascript:alert(1)', 'the scheme javascript is not allowed'],
    ['data:text/html,x', 'the scheme data is not allowed'],
    ['vbscript:x', 'the scheme vbscript is not allowed'],
    ['file:///etc/passwd', 'the scheme file is not allowed'],
    ['blob:https://a.example/1', 'the scheme blob is not allowed'],
    ['about:blank', 'the scheme about is not allowed'],
    ['http://a.example/cb', 'http is only allowed on 127.0.0.1, [::1] and localhost'],
    ['https://a.example/cb#x', 'it has a fragment'],
  ])('for the redirect URI %s, by name, beside good ones', async (uri, words) => {
    const answer = await world.register({ redirect_uris: ['https://a.example/cb', uri, 'http://localhost/cb'] });
    expect(answer).toMatchObject(refusal(400, 'invalid_redirect_uri', words));
    expect(answer.body['error_description']).toContain(uri.split('#')[0]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test.each([['http://localhost:8787/callback'], ['cursor://anysphere.cursor-mcp/oauth/callback']])(
    'MC-19: where it calls itself a site and wants %s, and told what to say instead',
    async (uri) => {
      const asked = { redirect_uris: ['https://a.example/cb', uri] };
      const answer = await world.register({ ...asked, application_type: 'web' });
      expect(answer).toMatchObject(refusal(400, 'invalid_redirect_uri', 'application_type native'));
      expect(answer.body['error_description']).toContain(uri);
      expect((await world.register({ ...asked, application_type: 'native' })).status).toBe(201);
      expect((await world.register(asked)).body).toMatchObject({ application_type: 'native' });
    },
  );

  test('by a platform that sends answers to https alone, and one that takes loopback as well says so', async () => {
    await world.configure('https', { registration: { policy: ['open'] }, switches: { httpsRedirectsOnly: true } });
    await world.configure('mixed', {
      registration: { policy: ['open'] },
      switches: { httpsRedirectsOnly: true, httpLoopbackRedirects: true },
    });
    const loopback = { redirect_uris: ['http://localhost/cb'], application_type: 'web' };
    const own = { redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'] };
    for (const body of [loopback, own])
      expect(await world.register(body, 'https')).toMatchObject(refusal(400, 'invalid_redirect_uri', 'https addresses only'));
    expect((await world.register(loopback, 'mixed')).status).toBe(201);
    expect(await world.register(own, 'mixed')).toMatchObject(refusal(400, 'invalid_redirect_uri', 'https addresses only'));
  });

  test.each([
    [{}, 'invalid_redirect_uri', 'redirect_uris is required'],
    [{ redirect_uris: [] }, 'invalid_redirect_uri', 'redirect_uris is required'],
    [{ ...site, grant_types: ['implicit'] }, 'invalid_client_metadata', 'authorization_code, refresh_token'],
    [{ ...site, grant_types: ['client_credentials'] }, 'invalid_client_metadata', 'authorization_code, refresh_token'],
    [{ ...site, grant_types: [] }, 'invalid_client_metadata', 'grant_types must name one'],
    [{ ...site, response_types: ['token'] }, 'invalid_client_metadata', 'response_types must contain code'],
    [
      { ...site, token_endpoint_auth_method: 'tls_client_auth' },
      'invalid_client_metadata',
      'none, client_secret_basic, client_secret_post',
    ],
    [{ ...site, token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata', 'jwks, or jwks_uri'],
    [{ ...site, id_token_signed_response_alg: 'none' }, 'invalid_client_metadata', 'id_token_signed_response_alg must be one of RS256'],
    [{ ...site, jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }, 'invalid_client_metadata', 'private or secret key'],
    [{ ...site, client_name: 7 }, 'invalid_client_metadata', 'client_name must be a string'],
  ])('for %j, in words', async (body, error, words) => {
    expect(await world.register(body)).toMatchObject(refusal(400, error, words));
  });

  test('as anything but JSON', async () => {
    const send = (headers: Readonly<Record<string, string>>, payload: string) =>
      world.send({ method: 'POST', url: '/home/oauth/register', headers, payload });
    const form = await send(
      { 'content-type': 'application/x-www-form-urlencoded' },
      'client_name=x&redirect_uris=https%3A%2F%2Fa.example%2Fcb',
    );
    expect(form).toMatchObject(refusal(400, 'invalid_client_metadata', 'application/json'));
    for (const [type, payload] of [
      ['application/json', '{'],
      ['application/json', ''],
      ['application/json', '[]'],
      ['application/json', 'null'],
      ['text/plain', '{}'],
    ] as const) {
      const { status, body } = await send({ 'content-type': type }, payload);
      expect([status >= 400 && status < 500, typeof body['error']]).toEqual([true, 'string']);
    }
  });

  test('where it is not open, in JSON, and on no platform at all', async () => {
    await world.configure('closed', { registration: { policy: ['preset', 'approval', 'metadata_document'] } });
    expect(await world.register(site, 'closed')).toMatchObject(refusal(403, 'access_denied', 'Ask its operator'));
    expect(await world.register(site, 'system')).toMatchObject(refusal(403, 'access_denied', 'Ask its operator'));
    expect((await world.register(site, 'nowhere')).status).toBe(404);
  });

  test('and writes nothing to the log', async () => {
    const before = await world.head(world.home);
    await world.register({ redirect_uris: ['javascript:x'] });
    await world.register('{');
    expect(await world.head(world.home)).toBe(before);
  });
});

describe('registrations are counted', () => {
  test('by address: the 121st in a row waits, with the seconds in Retry-After, and its neighbour does not', async () => {
    const from = '203.0.113.7';
    const answers = await Promise.all(Array.from({ length: 150 }, () => world.register(site, 'home', from)));
    const refused = answers.filter(({ status }) => status === 429);
    // One drains every five seconds, and so many take a while.
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(120);
    expect(refused[0]).toMatchObject(refusal(429, 'slow_down', 'as long as Retry-After says'));
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await world.register(site, 'home', '203.0.113.8')).status).toBe(201);
    // Of IPv6, a whole network is one.
    const ofNetwork = await Promise.all(
      Array.from({ length: 150 }, (_, n) => world.register(site, 'home', `2001:db8:0:1::${n.toString(16)}`)),
    );
    expect(ofNetwork.some(({ status }) => status === 429)).toBe(true);
  });

  test('on a platform altogether, whoever asks', async () => {
    await world.configure('crowded', { registration: { policy: ['open'] } });
    expect((await world.register(site, 'crowded')).status).toBe(201);
    // As two thousand others leave it, from addresses of their own. It is the bucket that drains by one a second.
    const { rowCount } = await world.deps.pool.query(`update attempt_bucket set level = 2030 where platform = 'crowded' and drain = 1`);
    expect(rowCount).toBe(1);
    expect(await world.register(site, 'crowded')).toMatchObject(refusal(429, 'slow_down', 'as long as Retry-After says'));
  });
});
