import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDpopWorld, type DpopWorld, jwtResource, origin, vault } from './support/dpop-world.ts';

let world: DpopWorld;
beforeAll(async () => {
  world = await createDpopWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const path = `/${vault}/oauth/token`;
const refreshOf = (refreshToken: string) => ({ grant_type: 'refresh_token', refresh_token: refreshToken });
const proofs = async (): Promise<number> => {
  const { rows } = await world.deps.pool.query<{ count: number }>('select count(*)::int as count from dpop_proof');
  return rows[0]?.count ?? 0;
};

describe('a token request with a proof', () => {
  test('binds its tokens to the key, and says so', async () => {
    const key = world.key();
    const { refreshToken } = await world.granted();
    const { status, body, headers } = await world.token(refreshOf(refreshToken), world.proofFor(key, path));
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ token_type: 'DPoP', access_token: expect.any(String), refresh_token: expect.any(String) });
  });

  test('is refused once the grant is bound, with another key or with none, and ends nothing', async () => {
    const key = world.key();
    const { refreshToken } = await world.granted({ jkt: key.jkt });
    const refused = { status: 400, body: { error: 'invalid_grant', error_description: expect.stringContaining('DPoP') } };
    expect(await world.token(refreshOf(refreshToken))).toMatchObject(refused);
    expect(await world.token(refreshOf(refreshToken), world.proofFor(world.key(), path))).toMatchObject(refused);
    expect(await world.token(refreshOf(refreshToken), world.proofFor(key, path))).toMatchObject({ status: 200 });
  });

  test('answers a lost response with the identical pair to a new proof of the same key, and to no other', async () => {
    const key = world.key();
    const { refreshToken } = await world.granted({ jkt: key.jkt });
    const first = await world.token(refreshOf(refreshToken), world.proofFor(key, path));
    const again = await world.token(refreshOf(refreshToken), world.proofFor(key, path));
    const { expires_in: _, ...pair } = first.body;
    expect(first.status).toBe(200);
    expect(again.body).toMatchObject(pair);
    const stolen = await world.token(refreshOf(refreshToken), world.proofFor(world.key(), path));
    expect(stolen).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(stolen.text).not.toContain(String(pair['access_token']));
  });

  test('by a thief of an unbound token is found out when its owner comes, who had no key to show', async () => {
    const thief = world.key();
    const { refreshToken } = await world.granted();
    const taken = await world.token(refreshOf(refreshToken), world.proofFor(thief, path));
    expect(taken).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    expect(await world.token(refreshOf(refreshToken))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const next = refreshOf(String(taken.body['refresh_token']));
    expect(await world.token(next, world.proofFor(thief, path))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('puts the key into a JWT access token and into what introspection says', async () => {
    const key = world.key();
    const server = await world.register({ kind: 'confidential', grantTypes: ['client_credentials'], serves: [jwtResource] });
    const basic = { authorization: `Basic ${btoa(`${server.clientId}:${server.secret}`)}` };
    const fields = { grant_type: 'client_credentials', scope: 'read', resource: jwtResource };
    const { body } = await world.post(path, fields, { ...basic, dpop: world.proofFor(key, path) });
    const [, payload = ''] = String(body['access_token']).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ cnf: { jkt: key.jkt } });
    const told = await world.post(`/${vault}/oauth/introspect`, { token: String(body['access_token']) }, basic);
    expect(told.body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: key.jkt } });

    const unbound = await world.post(path, fields, basic);
    expect(unbound.body).toMatchObject({ token_type: 'Bearer' });
    const plain = await world.post(`/${vault}/oauth/introspect`, { token: String(unbound.body['access_token']) }, basic);
    expect(plain.body).toMatchObject({ active: true, token_type: 'Bearer' });
    expect(plain.body).not.toHaveProperty('cnf');
  });

  test('is needed by a client whose registration says so', async () => {
    const strict = await world.register({ kind: 'confidential', grantTypes: ['client_credentials'], extras: { dpopRequired: true } });
    const basic = { authorization: `Basic ${btoa(`${strict.clientId}:${strict.secret}`)}` };
    const fields = { grant_type: 'client_credentials', scope: 'read' };
    expect(await world.post(path, fields, basic)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    const { status, body } = await world.post(path, fields, { ...basic, dpop: world.proofFor(world.key(), path) });
    expect([status, body['token_type']]).toEqual([200, 'DPoP']);
  });
});

describe('a proof that is not good', () => {
  const now = () => Math.floor(Date.now() / 1000);
  test.each([
    ['typ', { header: { typ: 'JWT' } }, 'typ'],
    ['alg', { header: { alg: 'HS256' } }, 'signed with one of'],
    ['jwk', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }, 'public key'],
    ['crit', { header: { crit: ['x'] } }, 'critical'],
    ['htm', { claims: { htm: 'GET' } }, 'htm'],
    ['htu', { claims: { htu: `${origin}/other/oauth/token` } }, 'htu'],
    ['host', { claims: { htu: `https://evil.example${path}` } }, 'htu'],
    ['jti', { claims: { jti: 'x'.repeat(257) } }, 'jti'],
    ['iat', { claims: { iat: 'now' } }, 'iat'],
    ['iat long ago', { claims: { iat: now() - 120 } }, '60 seconds'],
    ['iat to come', { claims: { iat: now() + 300 } }, '60 seconds'],
    ['exp', { claims: { exp: now() - 1 } }, '60 seconds'],
  ])('is invalid_dpop_proof (%s), says what is wrong, and spends nothing', async (_, wrong, said) => {
    const key = world.key();
    const { refreshToken } = await world.granted({ jkt: key.jkt });
    const before = await proofs();
    const { status, body } = await world.token(refreshOf(refreshToken), world.proofFor(key, path, wrong));
    expect([status, body['error']]).toEqual([400, 'invalid_dpop_proof']);
    expect(body['error_description']).toContain(said);
    expect(await proofs()).toBe(before);
    expect(await world.token(refreshOf(refreshToken), world.proofFor(key, path))).toMatchObject({ status: 200 });
  });

  test('leaves its jti good for where it belongs', async () => {
    const key = world.key();
    const { refreshToken } = await world.granted({ jkt: key.jkt });
    const proof = world.proofFor(key, path);
    const elsewhere = await world.token(refreshOf(refreshToken), proof, `/${vault}/oauth/connect/token`);
    expect(elsewhere).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    expect(await world.token(refreshOf(refreshToken), proof)).toMatchObject({ status: 200 });
  });

  test('is one of two in two headers', async () => {
    const { refreshToken } = await world.granted();
    const { status, body } = await world.ask({
      method: 'POST',
      url: path,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        dpop: [world.proofFor(world.key(), path), world.proofFor(world.key(), path)],
      },
      payload: String(new URLSearchParams({ client_id: world.client.clientId, ...refreshOf(refreshToken) })),
    });
    expect([status, body['error_description']]).toEqual([400, expect.stringContaining('one DPoP header')]);
  });
});

describe('a good proof', () => {
  test.each([-10, -55, 10, 55])('may be %i seconds off', async (seconds) => {
    const key = world.key();
    const { refreshToken } = await world.granted();
    const proof = world.proofFor(key, path, { claims: { iat: Math.floor(Date.now() / 1000) + seconds } });
    expect(await world.token(refreshOf(refreshToken), proof)).toMatchObject({ status: 200 });
  });

  test.each([`${origin}${path}?a=b#c`, `HTTP://LOCALHOST:4000${path}`, `${origin}/${vault}/./oauth/%74oken`])(
    'may spell the URL %s',
    async (htu) => {
      const { refreshToken } = await world.granted();
      expect(await world.token(refreshOf(refreshToken), world.proofFor(world.key(), path, { claims: { htu } }))).toMatchObject({
        status: 200,
      });
    },
  );

  test('is for the alias of the endpoint where it was sent there', async () => {
    const alias = `/${vault}/oauth/connect/token`;
    const { refreshToken } = await world.granted();
    expect(await world.token(refreshOf(refreshToken), world.proofFor(world.key(), alias), alias)).toMatchObject({ status: 200 });
  });

  test('is good once: of 50 uses at the same time one passes', async () => {
    const key = world.key();
    const grants = await Promise.all(Array.from({ length: 50 }, () => world.granted()));
    const proof = world.proofFor(key, path);
    const answers = await Promise.all(grants.map(({ refreshToken }) => world.token(refreshOf(refreshToken), proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(new Set(refused.map(({ status, body }) => `${status} ${String(body['error'])}`))).toEqual(new Set(['400 invalid_dpop_proof']));
  });

  test('uses up no proof of another key with the same jti, nor one on another platform', async () => {
    const claims = { jti: 'same' };
    for (const key of [world.key(), world.key()]) {
      const { refreshToken } = await world.granted();
      expect(await world.token(refreshOf(refreshToken), world.proofFor(key, path, { claims }))).toMatchObject({ status: 200 });
    }
    const key = world.key();
    const other = `/${world.along}/oauth/token`;
    for (const place of [path, other]) {
      const { body } = await world.token(refreshOf('x'), world.proofFor(key, place, { claims }), place);
      expect(body['error']).not.toBe('invalid_dpop_proof');
    }
  });

  test('leaves neither its key nor its jti where anybody could read them', async () => {
    const key = world.key();
    const { refreshToken } = await world.granted();
    await world.token(refreshOf(refreshToken), world.proofFor(key, path, { claims: { jti: 'a-jti-of-mine' } }));
    const { rows } = await world.deps.pool.query<{ text: string }>(`select string_agg(p::text, ' ') as text from dpop_proof p`);
    expect(rows[0]?.text).toContain(hash('sha256', `${key.jkt} a-jti-of-mine`, 'hex'));
    expect(rows[0]?.text).not.toContain('a-jti-of-mine');
    // The thumbprint is what the grant is bound to, so the log names it.
    const events = await world.everything();
    expect(events).toContain(key.jkt);
    expect(events).not.toContain(String(key.jwk.x));
    expect(events).not.toContain('a-jti-of-mine');
  });
});
