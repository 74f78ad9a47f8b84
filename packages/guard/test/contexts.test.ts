import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGuard } from '../src/index.ts';
import { status } from './authorization-server.ts';
import { type BearerWorld, nowSeconds, openBearerWorld } from './bearer-world.ts';

let world: BearerWorld;
beforeAll(async () => {
  world = await openBearerWorld();
});
afterAll(() => world.stop());
beforeEach(() => world.reset());

const guard = () =>
  createGuard({
    issuer: world.server.issuer,
    resource: world.server.resource,
    clientId: 'resources',
    clientSecret: 'secret',
    now: () => nowSeconds * 1000,
    onProblem: (problem) => world.problems.push(problem),
  });
const json = (code: number, body: object) => status(code, { 'content-type': 'application/json' }, JSON.stringify(body));
const change = { token: 'tok', context: 'safe-2' };

describe('the context of a grant', () => {
  test('comes with what is allowed, and what there is to choose from', async () => {
    const contexts = [
      { id: 'safe-1', name: 'Home' },
      { id: 'safe-2', name: 'safe-2' },
    ];
    world.server.reply('introspection', {
      ...world.live(),
      context: 'safe-1',
      contexts: [contexts[0], { id: 'safe-2' }, { name: 'x' }, 7],
    });
    expect(await world.check()).toMatchObject({ kind: 'allowed', context: 'safe-1', contexts });
  });

  test('is changed by the authorization server, which is shown the token and asked by the client', async () => {
    world.server.reply('context', { context: 'safe-2', previous_context: 'safe-1' });
    expect(await guard().selectContext(change)).toEqual({ kind: 'selected', context: 'safe-2', previous: 'safe-1' });
    const [asked] = world.server.asked('context');
    expect(Object.fromEntries(asked?.form ?? [])).toEqual(change);
    expect(asked?.headers.authorization).toMatch(/^Basic /);
  });

  test.each([
    ['unknown_context', 404],
    ['context_pinned', 409],
    ['invalid_token', 400],
  ] as const)('stays as it is when the server says %s', async (error, code) => {
    world.server.reply('context', json(code, { error, error_description: 'In its words' }));
    expect(await guard().selectContext(change)).toEqual({ kind: 'refused', reason: error, description: 'In its words' });
    expect(world.problems).toEqual([]);
  });

  test.each([
    ['refuses this client', json(401, { error: 'invalid_client' }), 'client_refused'],
    ['refuses it with a status that others have, too', json(403, { error: 'unauthorized_client' }), 'client_refused'],
    ['is down', status(503), 'unreachable'],
    ['says nothing of the context', { ok: true }, 'unusable_answer'],
    ['names another context', { context: 'safe-9' }, 'unusable_answer'],
    ['refuses for a reason nobody knows', json(409, { error: 'full_moon' }), 'unusable_answer'],
  ] as const)('is not known to have changed when the server %s, and an operator hears of it', async (_what, reply, kind) => {
    world.server.reply('context', reply);
    expect(await guard().selectContext(change)).toMatchObject({ kind: 'refused', reason: 'unavailable' });
    expect(world.problems).toMatchObject([{ kind }]);
  });

  test('cannot be changed where the metadata names no place for it', async () => {
    const { grant_context_endpoint: _, ...metadata } = world.server.metadata;
    world.server.reply('metadata', metadata);
    expect(await guard().selectContext(change)).toMatchObject({ kind: 'refused', reason: 'unsupported' });
  });
});

describe('the guard of another resource of the same server', () => {
  test('takes tokens for that one alone, challenges with its metadata, and reads the server’s once', async () => {
    const one = guard();
    const safe = `${world.server.resource}/safe-1`;
    const other = one.at(safe);
    world.server.reply('introspection', { ...world.live(), aud: safe });
    const request = { authorization: 'Bearer tok', scope: 'read', clientAddress: undefined };
    expect(await other.check(request)).toMatchObject({ kind: 'allowed' });
    expect(await one.check(request)).toMatchObject({ kind: 'refused', status: 401 });
    const refused = await other.check({ ...request, authorization: undefined });
    expect(refused.headers).toContainEqual([
      'WWW-Authenticate',
      expect.stringContaining(`resource_metadata="${world.server.resourceMetadata}/safe-1"`),
    ]);
    expect(other.metadata().document).toMatchObject({ resource: safe });
    expect(world.server.asked('metadata')).toHaveLength(1);
  });

  test('cannot be of a resource that is no URL', () => {
    expect(() => guard().at('safe-1')).toThrow(/resource must be/);
  });
});
