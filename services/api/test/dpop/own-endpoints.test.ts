import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createProofKey } from '../../../../test/support/proof-key.ts';
import type { Answer } from '../management/support/world.ts';
import { createDpopWorld, type DpopWorld, origin, type Route, vault } from './support/dpop-world.ts';
import { createTokenRoutes } from './support/token-routes.ts';

let world: DpopWorld;
let places: Awaited<ReturnType<typeof createTokenRoutes>>;
const key = createProofKey();
beforeAll(async () => {
  world = await createDpopWorld(inject('databaseUrl'));
  places = await createTokenRoutes(world, key);
});
afterAll(() => world.close());

const each = async (routes: readonly Route[], work: (route: Route) => Promise<unknown>): Promise<Readonly<Record<string, unknown>>> => {
  const told: Record<string, unknown> = {};
  for (const route of routes) told[`${route.method} ${route.url}`] = await work(route);
  return told;
};
const all = (routes: readonly Route[], answer: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(routes.map(({ method, url }) => [`${method} ${url}`, answer]));
// Their token is no access token, so that none lets anybody in.
const isRegistration = ({ url }: Route): boolean => url.includes('/oauth/register');
const challengeOf = ({ status, headers }: Answer): string => `${status} ${String(headers['www-authenticate'] ?? '')}`;

describe('every endpoint of ours that takes access tokens', () => {
  test('refuses one that is bound to a key where it comes as Bearer, with or without a proof', async () => {
    const kinds = new Set(places.routes.map(({ config }) => config.authentication));
    expect([...kinds].sort()).toEqual(['account', 'agent', 'auditor', 'bearer', 'operator', 'reader', 'tool']);
    const told = await each(places.routes, async (route) => {
      const token = await places.tokenFor(route, key.jkt);
      const answers = [
        await places.ask(route, { scheme: 'Bearer', token, proof: null }),
        await places.ask(route, { scheme: 'Bearer', token }),
      ];
      return answers.map((answer) => {
        const challenge = challengeOf(answer);
        return isRegistration(route)
          ? answer.status
          : [/^401 Bearer .*error="invalid_token"/.test(challenge), challenge.includes('DPoP algs="')];
      });
    });
    const refused = [true, true];
    expect(told).toEqual({
      ...all(places.routes, [refused, refused]),
      ...all(places.routes.filter(isRegistration), [401, 401]),
    });
  });

  test('takes it with the scheme DPoP and a proof', async () => {
    const routes = places.routes.filter((route) => !isRegistration(route));
    const told = await each(routes, async (route) => {
      const { status } = await places.ask(route, { scheme: 'DPoP', token: await places.tokenFor(route, key.jkt) });
      return status !== 401 && status < 500;
    });
    expect(told).toEqual(all(routes, true));
  });

  test('refuses one that is bound to no key where it comes with the scheme DPoP', async () => {
    const told = await each(places.routes, async (route) => {
      const answer = await places.ask(route, { scheme: 'DPoP', token: await places.tokenFor(route, undefined) });
      return isRegistration(route) ? answer.status : /^401 DPoP .*error="invalid_token".* algs="/.test(challengeOf(answer));
    });
    expect(told).toEqual({ ...all(places.routes, true), ...all(places.routes.filter(isRegistration), 401) });
  });

  test('refuses it with a proof that is missing, or for another token or place', async () => {
    const routes = places.routes.filter((route) => !isRegistration(route));
    const told = await each(routes, async (route) => {
      const token = await places.tokenFor(route, key.jkt);
      const wrong = [null, { ath: 'x' }, { htu: `${origin}/${vault}` }, { htm: 'TRACE' }, { iat: 1 }];
      const answers = await Promise.all(wrong.map((proof) => places.ask(route, { scheme: 'DPoP', token, proof })));
      return answers.every((answer) => /^401 DPoP .*error="invalid_dpop_proof"/.test(challengeOf(answer)));
    });
    expect(told).toEqual(all(routes, true));
  });
});

describe('userinfo', () => {
  const path = `/${vault}/oauth/userinfo`;
  const get = (authorization: string, dpop: string): Promise<Answer> =>
    world.ask({ method: 'GET', url: path, headers: { authorization, dpop } });
  const proofOf = (token: string, by = key, claims = {}): string => by.proof({ method: 'GET', url: origin + path, token, claims });

  test.each(['DPoP', 'dpop', 'dPoP'])('takes the scheme spelt %s', async (scheme) => {
    const { accessToken } = await world.granted({ jkt: key.jkt });
    expect(await get(`${scheme} ${accessToken}`, proofOf(accessToken))).toMatchObject({ status: 200, body: { sub: expect.any(String) } });
  });

  test('says of a good proof of another key that the token is the wrong one, and spends nothing', async () => {
    const { accessToken } = await world.granted({ jkt: key.jkt });
    const thief = createProofKey();
    const jti = crypto.randomUUID();
    const { status, headers } = await get(`DPoP ${accessToken}`, proofOf(accessToken, thief, { jti }));
    expect([status, headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^DPoP .*error="invalid_token".*another key/)]);
    const own = await world.granted({ jkt: thief.jkt });
    expect(await get(`DPoP ${own.accessToken}`, proofOf(own.accessToken, thief, { jti }))).toMatchObject({ status: 200 });
  });

  test('takes one proof of 50 at the same time', async () => {
    const { accessToken } = await world.granted({ jkt: key.jkt });
    const proof = proofOf(accessToken);
    const answers = await Promise.all(Array.from({ length: 50 }, () => get(`DPoP ${accessToken}`, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => /^401 DPoP .*invalid_dpop_proof.*used before/.test(challengeOf(answer)))).toHaveLength(49);
  });

  test('says nothing of a proof to who shows a token that is none, and spends nothing', async () => {
    const count = async () => (await world.deps.pool.query('select from dpop_proof')).rowCount;
    const before = await count();
    const { status, headers } = await get('DPoP made.up', proofOf('made.up'));
    expect([status, headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^DPoP .*error="invalid_token"/)]);
    expect(await count()).toBe(before);
  });

  test('takes a token from before its grant was bound as it takes those after', async () => {
    const { accessToken, refreshToken } = await world.granted();
    const tokenPath = `/${vault}/oauth/token`;
    const bound = await world.token({ grant_type: 'refresh_token', refresh_token: refreshToken }, world.proofFor(key, tokenPath));
    expect(bound.body).toMatchObject({ token_type: 'DPoP' });
    expect(await world.ask({ method: 'GET', url: path, headers: { authorization: `Bearer ${accessToken}` } })).toMatchObject({
      status: 401,
    });
    expect(await get(`DPoP ${accessToken}`, proofOf(accessToken))).toMatchObject({ status: 200 });
  });
});
