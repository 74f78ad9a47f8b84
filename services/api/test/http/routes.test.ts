import { reservedPlatformNames, systemPlatform } from '@grantlog/domain';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { RouteUndeclared, requireDeclarations } from '../../src/http/declared-routes.ts';
import { all, answers, form, name, openRouteWorld, pathOf, type RouteWorld } from './support/route-world.ts';

let world: RouteWorld;
beforeAll(async () => {
  world = await openRouteWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

describe('the route table', () => {
  test('says of every route how it knows its caller', () => {
    expect(world.routes.length).toBeGreaterThan(20);
    expect(world.routes.filter(({ config }) => config.authentication === undefined)).toEqual([]);
  });

  test('refuses a route that does not say it', () => {
    const bare = fastify();
    requireDeclarations(bare);
    expect(() => bare.get('/forgotten', () => 'x')).toThrow(RouteUndeclared);
    expect(() => bare.get('/open', { config: { authentication: 'none' } }, () => 'x')).not.toThrow();
  });

  test('leaves nothing open to everybody but what is public', () => {
    expect([...new Set(world.ofAuthentication('none').map(name))].sort()).toEqual([
      'GET /',
      'GET /.well-known/ai-catalog.json',
      'GET /.well-known/mcp.json',
      'GET /.well-known/mcp.json/:platform',
      'GET /.well-known/oauth-authorization-server',
      'GET /.well-known/oauth-authorization-server/:platform',
      'GET /.well-known/oauth-protected-resource',
      'GET /.well-known/oauth-protected-resource/:platform',
      'GET /.well-known/oauth-protected-resource/:platform/*',
      'GET /.well-known/openid-configuration',
      'GET /.well-known/openid-configuration/:platform',
      'GET /.well-known/ssf-configuration/:platform',
      'GET /:platform',
      'GET /:platform/.well-known/ai-catalog.json',
      'GET /:platform/.well-known/jwks.json',
      'GET /:platform/.well-known/mcp.json',
      'GET /:platform/.well-known/oauth-authorization-server',
      'GET /:platform/.well-known/oauth-protected-resource',
      'GET /:platform/.well-known/oauth-protected-resource/*',
      'GET /:platform/.well-known/openid-configuration',
      'GET /:platform/.well-known/ssf-configuration',
      'GET /:platform/audit/tree',
      'GET /:platform/audit/tree/checkpoint',
      'GET /:platform/audit/tree/consistency',
      'GET /:platform/audit/tree/tile/:level/*',
      'GET /:platform/docs/:page',
      'GET /:platform/llms.txt',
      'GET /:platform/mcp/server-card',
      'GET /:platform/webhooks/endpoints/:endpointId/jwks.json',
      'GET /:platform/webhooks/event-types',
      'GET /:platform/webhooks/event-types/:type',
      'GET /llms.txt',
      'GET /mailbox',
      'GET /openapi.json',
      'POST /:platform/oauth/register',
      'POST /:platform/rest/signup',
    ]);
  });

  test('has no path of its own that a platform could have as its name', () => {
    const own = new Set(
      world.routes.map(({ url }) => url.split('/')[1] ?? '').filter((segment) => segment !== '' && !segment.startsWith(':')),
    );
    expect([...own].sort()).toEqual(expect.arrayContaining(['.well-known', 'mailbox', 'openapi.json']));
    // The operators' own platform is a platform, whose document stands there from the first start on.
    expect([...own].filter((segment) => !reservedPlatformNames.has(segment))).toEqual([systemPlatform]);
  });

  test('puts everything under manage behind an operator', () => {
    const managed = world.routes.filter(({ url }) => url.includes('/manage'));
    expect(managed.length).toBeGreaterThan(10);
    expect(managed.filter(({ config }) => config.authentication !== 'operator' || config.errors !== 'problem').map(name)).toEqual([]);
  });
});

describe('whoever shows nothing', () => {
  test('is told invalid_client in JSON by routes for clients', async () => {
    const asked = world.ofAuthentication('client');
    const told = await answers(asked, async (route) => {
      const { status, type, text, headers } = await world.ask({
        method: 'POST',
        url: pathOf(route),
        ...form({ token: 'x', grant_type: 'refresh_token' }),
      });
      return { status, type, error: JSON.parse(text).error, challenge: headers['www-authenticate'], cache: headers['cache-control'] };
    });
    expect(told).toEqual(
      all(asked, {
        status: 401,
        type: 'application/json; charset=utf-8',
        error: 'invalid_client',
        challenge: 'Basic realm="acme"',
        cache: 'no-store',
      }),
    );
  });

  test('is challenged for a Bearer token by routes for tokens', async () => {
    const asked = world.ofAuthentication('bearer');
    const told = await answers(asked, async (route) => {
      const { status, type, headers } = await world.ask({ method: route.method as 'GET', url: pathOf(route) });
      return { status, type, bearer: String(headers['www-authenticate']).startsWith('Bearer ') };
    });
    const worded = (style: string) => asked.filter(({ config }) => (config.errors ?? 'oauth') === style);
    const challenged = { status: 401, bearer: true };
    expect(told).toEqual({
      ...all(worded('oauth'), { ...challenged, type: 'application/json; charset=utf-8' }),
      ...all(worded('problem'), { ...challenged, type: 'application/problem+json; charset=utf-8' }),
    });
  });

  test.each([undefined, 'Bearer nonsense', 'Basic YTpi'])(
    'is challenged by the management API and the audit trail in a problem, whatever it asks for (%s)',
    async (authorization) => {
      const asked = [...world.ofAuthentication('operator'), ...world.ofAuthentication('auditor')];
      const told = await answers(asked, async (route) => {
        const headers = authorization === undefined ? {} : { authorization };
        const { status, type, headers: sent } = await world.ask({ method: route.method as 'GET', url: pathOf(route), headers });
        return { status, type: type.split(';')[0], bearer: String(sent['www-authenticate']).startsWith('Bearer ') };
      });
      expect(told).toEqual(all(asked, { status: 401, type: 'application/problem+json', bearer: true }));
    },
  );

  test('is challenged for a Bearer token by the routes of events, in a problem', async () => {
    const asked = world.ofAuthentication('reader');
    const told = await answers(asked, async (route) => {
      const { status, type, headers } = await world.ask({ method: route.method as 'GET', url: pathOf(route) });
      return { status, type: type.split(';')[0], bearer: String(headers['www-authenticate']).startsWith('Bearer ') };
    });
    expect(told).toEqual(all(asked, { status: 401, type: 'application/problem+json', bearer: true }));
  });

  test('is challenged for a Bearer token first and then for HTTP Basic by routes for accounts, in a problem', async () => {
    const asked = world.ofAuthentication('account');
    const told = await answers(asked, async (route) => {
      const { status, type, headers } = await world.ask({ method: route.method as 'GET', url: pathOf(route) });
      return {
        status,
        type: type.split(';')[0],
        challenge: /^Bearer .*, Basic realm="acme", charset="UTF-8"$/.test(String(headers['www-authenticate'])),
      };
    });
    expect(told).toEqual(all(asked, { status: 401, type: 'application/problem+json', challenge: true }));
  });

  test('is told by a page on pages, and by JSON where a token is asked about', async () => {
    for (const route of world.ofAuthentication('browser')) {
      const { status, type, headers } = await world.ask({
        method: route.method as 'POST',
        url: pathOf(route),
        ...(route.method === 'POST' ? form({}) : {}),
      });
      expect([name(route), type, headers.location, status < 500]).toEqual([name(route), 'text/html; charset=utf-8', undefined, true]);
    }
    for (const route of world.ofAuthentication('token'))
      expect(await world.ask({ method: 'GET', url: pathOf(route) })).toMatchObject({
        status: 400,
        type: 'application/json; charset=utf-8',
      });
  });
});
