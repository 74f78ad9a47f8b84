import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGuard, type GuardProblem } from '../src/index.ts';
import { type FakeAuthorizationServer, type Reply, startAuthorizationServer, status } from './authorization-server.ts';
import { challengesOf, headerOf } from './challenges.ts';

let server: FakeAuthorizationServer;
let problems: GuardProblem[];
let now: number;

beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  problems = [];
  now = 1_800_000_000_000;
  server.reset();
});

const options = () => ({
  issuer: server.issuer,
  resource: server.resource,
  clientId: 'c',
  clientSecret: 'a-secret',
  now: () => now,
  onProblem: (problem: GuardProblem) => void problems.push(problem),
});
const anonymous = { authorization: undefined, scope: ['read'], clientAddress: '192.0.2.1' };

describe('without credentials', () => {
  test('the answer is 401 with Bearer first, then Basic, and no error code', async () => {
    const outcome = await createGuard(options()).check(anonymous);
    expect(outcome).toMatchObject({ kind: 'refused', status: 401, body: { error: 'not_authenticated' } });
    expect(outcome.headers).toEqual([
      ['WWW-Authenticate', `Bearer realm="arlo", scope="read", resource_metadata="${server.resourceMetadata}"`],
      ['WWW-Authenticate', 'Basic realm="arlo", charset="UTF-8"'],
      ['Cache-Control', 'no-store'],
    ]);
  });

  test.each(['', 'Digest username="a"', 'Bearerabc', 'Basically abc'])('another scheme (%j) counts as none', async (authorization) => {
    const outcome = await createGuard(options()).check({ ...anonymous, authorization });
    expect(outcome).toMatchObject({ status: 401, body: { error: 'not_authenticated' } });
    expect(challengesOf(outcome).map(({ scheme }) => scheme)).toEqual(['Bearer', 'Basic']);
  });

  test('no Basic is offered where the metadata offers none', async () => {
    server.reply('metadata', { ...server.metadata, basic_validation_endpoint: undefined });
    expect(challengesOf(await createGuard(options()).check(anonymous)).map(({ scheme }) => scheme)).toEqual(['Bearer']);
  });

  test('the realm can be chosen', async () => {
    const outcome = await createGuard({ ...options(), realm: 'demo "x"' }).check(anonymous);
    expect(challengesOf(outcome).map(({ parameters }) => parameters['realm'])).toEqual(['demo ?x?', 'demo ?x?']);
  });
});

describe('the metadata of the resource', () => {
  test('lies where every challenge says, and names the authorization server', async () => {
    const guard = createGuard(options());
    const { path, document } = guard.metadata({ scopes: ['read', 'write'], name: 'Events' });
    expect(new URL(path, server.resource).href).toBe(server.resourceMetadata);
    expect(challengesOf(await guard.check(anonymous))[0]?.parameters['resource_metadata']).toBe(new URL(path, server.resource).href);
    expect(document).toEqual({
      resource: server.resource,
      authorization_servers: [server.issuer],
      scopes_supported: ['read', 'write'],
      bearer_methods_supported: ['header'],
      resource_name: 'Events',
      dpop_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA', 'PS256'],
    });
  });

  test('keeps the query of a resource that has one, and says no more than it was told', () => {
    const { path, document } = createGuard({ ...options(), resource: 'https://rs.example/a?tenant=1' }).metadata();
    expect(path).toBe('/.well-known/oauth-protected-resource/a?tenant=1');
    expect(Object.keys(document).sort()).toEqual([
      'authorization_servers',
      'bearer_methods_supported',
      'dpop_signing_alg_values_supported',
      'resource',
    ]);
  });
});

describe('the metadata', () => {
  test('is read once for requests that come together, and again after five minutes', async () => {
    const guard = createGuard(options());
    await Promise.all([guard.check(anonymous), guard.check(anonymous), guard.check(anonymous)]);
    now += 5 * 60_000 - 1;
    await guard.check(anonymous);
    expect(server.asked('metadata')).toHaveLength(1);
    now += 1;
    server.reply('metadata', { ...server.metadata, basic_validation_endpoint: undefined });
    expect(challengesOf(await guard.check(anonymous))).toHaveLength(1);
    expect(server.asked('metadata')).toHaveLength(2);
  });

  test('is read again when the clock stepped back', async () => {
    const guard = createGuard(options());
    await guard.check(anonymous);
    now -= 1;
    await guard.check(anonymous);
    expect(server.asked('metadata')).toHaveLength(2);
  });

  test.each<[string, GuardProblem['kind'], () => Reply]>([
    ['names another issuer', 'wrong_issuer', () => ({ ...server.metadata, issuer: `${server.issuer}/` })],
    ['names no issuer', 'wrong_issuer', () => ({ ...server.metadata, issuer: undefined })],
    ['names no introspection endpoint', 'unusable_metadata', () => ({ ...server.metadata, introspection_endpoint: undefined })],
    ['wants secrets sent in the clear', 'unusable_metadata', () => ({ ...server.metadata, introspection_endpoint: 'http://as.example/i' })],
    [
      'wants passwords sent in the clear',
      'unusable_metadata',
      () => ({ ...server.metadata, basic_validation_endpoint: 'http://as.example/b' }),
    ],
    ['is missing', 'unusable_metadata', () => status(404)],
    ['is somewhere else', 'unusable_metadata', () => status(301, { location: `${server.origin}/elsewhere` })],
    ['is a page', 'unusable_metadata', () => status(200, { 'content-type': 'text/html' }, '<p>')],
    ['cannot be served', 'unreachable', () => status(500)],
  ])('that %s allows nobody: 503 and %s', async (_, kind, reply) => {
    server.reply('metadata', reply());
    server.reply('introspection', { active: true });
    const outcome = await createGuard(options()).check({ ...anonymous, authorization: 'Bearer tok' });
    expect(outcome).toMatchObject({ kind: 'refused', status: 503 });
    expect(headerOf(outcome, 'Retry-After')).toBe('5');
    expect(problems).toMatchObject([{ kind }]);
    expect(server.asked('introspection')).toEqual([]);
  });

  test('that could not be read is tried again by the next request', async () => {
    const guard = createGuard(options());
    server.reply('metadata', status(500));
    expect(await guard.check(anonymous)).toMatchObject({ status: 503 });
    server.reply('metadata', server.metadata);
    expect(await guard.check(anonymous)).toMatchObject({ status: 401 });
  });

  test('is read to its end for whoever else waits when one who asked has gone', async () => {
    const guard = createGuard(options());
    const gone = new AbortController();
    server.reply('metadata', (_, response) => {
      gone.abort();
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(server.metadata)), 20);
    });
    const [, waiting] = await Promise.all([guard.check({ ...anonymous, signal: gone.signal }), guard.check(anonymous)]);
    expect(waiting).toMatchObject({ status: 401 });
    expect(problems).toEqual([]);
  });

  test('of a server that is not there is 503, and never a rejection', async () => {
    const guard = createGuard({ ...options(), fetch: () => Promise.reject(new TypeError('fetch failed')) });
    expect(await guard.check(anonymous)).toMatchObject({ status: 503 });
    expect(problems).toMatchObject([{ kind: 'unreachable' }]);
  });
});

describe('the options', () => {
  test.each([
    [{ issuer: 'http://as.example' }, /^issuer must be an https URL/],
    [{ issuer: 'https://as.example?x=1' }, /^issuer must be an https URL/],
    [{ issuer: 'as.example' }, /^issuer must be an https URL/],
    [{ resource: 'https://rs.example/#x' }, /^resource must be an https URL/],
    [{ resource: 'https://RS.example/' }, /spelt as tokens name it: https:\/\/rs\.example$/],
    [{ clientId: '' }, /^clientId/],
    [{ clientSecret: '' }, /^clientSecret/],
    [{ timeoutMs: 0 }, /^timeoutMs/],
  ])('%j are refused by name', (change, message) => {
    expect(() => createGuard({ ...options(), ...change })).toThrow(message);
  });

  test('give the realm: the platform of a path, or the host', async () => {
    const fetch: typeof globalThis.fetch = () =>
      Promise.resolve(Response.json({ issuer: 'https://auth.example.com', introspection_endpoint: 'https://auth.example.com/i' }));
    const guard = createGuard({ ...options(), issuer: 'https://auth.example.com', resource: 'https://api.example.com/v1', fetch });
    expect(challengesOf(await guard.check(anonymous))[0]?.parameters).toMatchObject({
      realm: 'auth.example.com',
      resource_metadata: 'https://api.example.com/.well-known/oauth-protected-resource/v1',
    });
  });
});
