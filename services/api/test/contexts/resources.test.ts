import { parsePlatformDocument } from '@grantlog/domain';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { checkResources } from '../../src/endpoints/authorize/check-resources.ts';
import { findResource, servesResource } from '../../src/platforms/own-resources.ts';
import { createWorld, tenantJson, type World } from '../management/support/world.ts';

const issuer = 'http://localhost:4000/safes';
const resources = [
  { uri: `${issuer}/mcp/v1`, name: 'Memory', scopes: ['read'], perContext: true },
  { uri: `${issuer}/mcp/v1/admin`, name: 'Administration', scopes: ['read'] },
  { uri: `${issuer}/plain`, name: 'Plain', scopes: ['read'] },
  { uri: 'https://bare.example', name: 'Bare', scopes: ['read'], perContext: true },
];
const json = tenantJson('safes', { contexts: { noun: 'Safe' }, resources });
const parsed = parsePlatformDocument(json);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const { document } = parsed;
const found = (uri: string): readonly unknown[] | null => {
  const resource = findResource(document, issuer, uri);
  return resource === null ? null : [resource.uri, resource.definition.name, resource.context];
};

describe('a resource', () => {
  test.each([
    [`${issuer}/mcp/v1`, `${issuer}/mcp/v1`, 'Memory', null],
    [`${issuer}/mcp/v1/safe_1`, `${issuer}/mcp/v1/safe_1`, 'Memory', 'safe_1'],
    ['HTTP://LOCALHOST:4000/safes/mcp/v1/safe_1', `${issuer}/mcp/v1/safe_1`, 'Memory', 'safe_1'],
    // What the document names is that, and no context of another.
    [`${issuer}/mcp/v1/admin`, `${issuer}/mcp/v1/admin`, 'Administration', null],
    ['https://bare.example/', 'https://bare.example', 'Bare', null],
    ['https://bare.example/safe_1', 'https://bare.example/safe_1', 'Bare', 'safe_1'],
  ])('%s is found', (uri, ...expected) => expect(found(uri)).toEqual(expected));

  test.each([
    `${issuer}/mcp/v1/`,
    `${issuer}/mcp/v1/safe_1/`,
    `${issuer}/mcp/v1/safe_1/x`,
    `${issuer}/mcp/v1/.`,
    `${issuer}/mcp/v1/..`,
    `${issuer}/mcp/v1/a%2e`,
    `${issuer}/mcp/v1/safe_1?x=1`,
    `${issuer}/mcp/v1/safe_1#x`,
    `${issuer}/mcp/v1safe_1`,
    `${issuer}/mcp/V1/safe_1`,
    `${issuer}/plain/safe_1`,
    `${issuer}/mcp/v1/admin/safe_1`,
    'https://user@bare.example/safe_1',
    'nonsense',
    '',
  ])('%s is none', (uri) => expect(found(uri)).toBeNull());

  test('of a context is served by who serves it for all', () => {
    const serves = (served: string, uri: string) => servesResource({ document, issuer }, { serves: [served] }, uri);
    expect(serves(`${issuer}/mcp/v1`, `${issuer}/mcp/v1/safe_1`)).toBe(true);
    expect(serves(`${issuer}/mcp/v1`, `${issuer}/mcp/v1`)).toBe(true);
    for (const uri of [`${issuer}/mcp/v1/admin`, `${issuer}/plain`, `${issuer}/mcp/v1/a/b`, 'https://bare.example/safe_1'])
      expect([uri, serves(`${issuer}/mcp/v1`, uri)]).toEqual([uri, false]);
    expect(serves(`${issuer}/mcp/v1/safe_1`, `${issuer}/mcp/v1`)).toBe(false);
  });
});

describe('what a request asks for', () => {
  test('is of one context, spelt as the platform spells it', () => {
    const asked = ['HTTP://LOCALHOST:4000/safes/mcp/v1', 'https://bare.example/safe_1', 'https://bare.example/safe_1'];
    expect(checkResources(document, issuer, asked)).toEqual({
      resources: [`${issuer}/mcp/v1`, 'https://bare.example/safe_1'],
      pinnedContext: 'safe_1',
    });
    expect(checkResources(document, issuer, ['https://bare.example/'])).toEqual({
      resources: ['https://bare.example'],
      pinnedContext: null,
    });
    expect(() => checkResources(document, issuer, [`${issuer}/mcp/v1/safe_1`, 'https://bare.example/safe_2'])).toThrow(
      'different contexts',
    );
  });

  test('is the only resource where none is named, and of several none', () => {
    expect(checkResources(document, issuer, [])).toEqual({ resources: [], pinnedContext: null });
    const [only] = document.resources;
    const one = { ...document, resources: only === undefined ? [] : [only] };
    expect(checkResources(one, issuer, [])).toEqual({ resources: [`${issuer}/mcp/v1`], pinnedContext: null });
  });

  test.each([`${issuer}/mcp/v1/`, `${issuer}/mcp/v2`, 'https://elsewhere.example', 'https://bare.example/#x', 'relative'])(
    '%s is refused as invalid_target',
    (uri) => expect(() => checkResources(document, issuer, [uri])).toThrow(expect.objectContaining({ code: 'invalid_target' })),
  );
});

describe('the metadata', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(inject('databaseUrl'));
    await world.call(await world.operator('operator'), 'PUT', '/system/manage/platforms/safes', json);
  });
  afterAll(() => world.close());

  test.each(['/.well-known/oauth-protected-resource/safes/mcp/v1/safe_1', '/safes/.well-known/oauth-protected-resource/mcp/v1/safe_1'])(
    'of the resource of a context are served at %s, whether or not anybody has it',
    async (path) => {
      expect(await world.call(null, 'GET', path)).toMatchObject({
        status: 200,
        body: { resource: `${issuer}/mcp/v1/safe_1`, authorization_servers: [issuer], scopes_supported: ['read'], resource_name: 'Memory' },
      });
    },
  );

  test.each(['mcp/v1/a/b', 'mcp/v1/', 'plain/safe_1', 'mcp/v1/a%2fb'])('of %s are none', async (rest) => {
    expect((await world.call(null, 'GET', `/.well-known/oauth-protected-resource/safes/${rest}`)).status).toBe(404);
  });

  test('and the documentation for agents say what a context is for', async () => {
    const of = async (name: string): Promise<string> => (await world.app.inject(`/${name}/docs/authentication.md`)).body;
    expect(await of('safes')).toContain('## For which Safe');
    expect(await of('safes')).toContain(`${issuer}/mcp/v1/{id}`);
    expect(await of('arlo')).not.toContain('/oauth/context');
  });

  test('name where the context of a grant is changed, on platforms whose grants have one', async () => {
    const of = async (name: string) => (await world.call(null, 'GET', `/.well-known/oauth-authorization-server/${name}`)).body;
    expect((await of('safes'))['grant_context_endpoint']).toBe(`${issuer}/oauth/context`);
    expect(await of('arlo')).not.toHaveProperty('grant_context_endpoint');
  });
});
