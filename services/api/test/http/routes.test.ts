import { randomUuid } from '@grantlog/crypto';
import { parsePlatformDocument, reservedPlatformNames, systemPlatform } from '@grantlog/domain';
import { createDatabase, migrate } from '@grantlog/postgres';
import { configurePlatform } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import fastify, { type FastifyInstance, type InjectOptions, type RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Composed, compose } from '../../src/compose.ts';
import { RouteUndeclared, requireDeclarations } from '../../src/http/declared-routes.ts';

type Route = { readonly method: string; readonly url: string; readonly config: NonNullable<RouteOptions['config']> };

const routes: Route[] = [];
const lines: string[] = [];
let deps: Composed;
let app: FastifyInstance;

beforeAll(async () => {
  const databaseUrl = await createDatabase({ connectionString: inject('databaseUrl'), name: `routes_${randomUuid().replaceAll('-', '')}` });
  await migrate({ connectionString: databaseUrl });
  const logger = createLogger({ service: 'api', level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
  deps = await compose(
    {
      databaseUrl,
      databaseDirectUrl: undefined,
      redisUrl: undefined,
      publicUrl: 'http://localhost:4000',
      port: 0,
      opsPort: 0,
      host: '127.0.0.1',
      trustProxy: [],
      smtpUrl: undefined,
      mailFrom: 'Grantlog <no-reply@localhost>',
      dataDir: '.grantlog',
      secrets: ['a-secret-of-the-test-run-long-enough'],
      logLevel: 'debug',
      isDevelopment: true,
    },
    logger,
  );
  const parsed = parsePlatformDocument({
    name: 'acme',
    displayName: 'Acme',
    scopes: [{ name: 'read', description: 'Read' }],
    resources: [{ uri: 'http://localhost:4000/acme/api', name: 'API', scopes: ['read'] }],
    switches: { connectPaths: true, basicForExploration: true },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await configurePlatform(deps.provisioning, { actor: { kind: 'system', id: 'test' }, correlationId: 'test' }, parsed.document);
  const onRoute = ({ method, url, config }: RouteOptions): void => {
    for (const each of [method].flat()) routes.push({ method: each, url, config: config ?? {} });
  };
  app = await createApp({ ...deps, logger, onRoute });
  await app.ready();
});
afterAll(async () => {
  await app.close();
  await deps.stop();
});

/** A path of a route on a platform, its other parameters filled with what nobody has. */
const pathOf = (route: Route, platform = 'acme'): string =>
  route.url
    .replace(':platform', platform)
    .replaceAll(/:[A-Za-z]+/g, 'unknown')
    .replace('*', 'x');
/** Whether a route's pattern takes a path; what is passed on takes whatever is left, so it does not count. */
const takes = ({ url, config }: Route, path: string): boolean => {
  const pattern = url.replaceAll('.', '\\.').replaceAll(/:[A-Za-z]+/g, '[^/]+');
  return config.authentication !== 'upstream' && new RegExp(`^${pattern.replace('*', '.*')}$`).test(path);
};
const ask = async (options: InjectOptions) => {
  const response = await app.inject(options);
  return {
    status: response.statusCode,
    type: String(response.headers['content-type'] ?? ''),
    headers: response.headers,
    text: response.body,
  };
};
const form = (fields: Readonly<Record<string, string>>): Pick<InjectOptions, 'headers' | 'payload'> => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  payload: String(new URLSearchParams(fields)),
});
const ofAuthentication = (...kinds: readonly string[]): readonly Route[] =>
  routes.filter(({ method, config }) => kinds.includes(config.authentication ?? '') && method !== 'HEAD' && method !== 'OPTIONS');
const name = ({ method, url }: Route): string => `${method} ${url}`;
/** Each route's answer by its name, so that one comparison shows every route that is different. */
const answers = async <Answer>(
  asked: readonly Route[],
  work: (route: Route) => Promise<Answer>,
): Promise<Readonly<Record<string, Answer>>> =>
  Object.fromEntries(await Promise.all(asked.map(async (route) => [name(route), await work(route)] as const)));
const all = <Answer>(asked: readonly Route[], answer: Answer): Readonly<Record<string, Answer>> => {
  expect(asked.length).toBeGreaterThan(0);
  return Object.fromEntries(asked.map((route) => [name(route), answer]));
};

describe('the route table', () => {
  test('says of every route how it knows its caller', () => {
    expect(routes.length).toBeGreaterThan(20);
    expect(routes.filter(({ config }) => config.authentication === undefined)).toEqual([]);
  });

  test('refuses a route that does not say it', () => {
    const bare = fastify();
    requireDeclarations(bare);
    expect(() => bare.get('/forgotten', () => 'x')).toThrow(RouteUndeclared);
    expect(() => bare.get('/open', { config: { authentication: 'none' } }, () => 'x')).not.toThrow();
  });

  test('leaves nothing open to everybody but what is public', () => {
    expect([...new Set(ofAuthentication('none').map(name))].sort()).toEqual([
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
      'GET /:platform',
      'GET /:platform/.well-known/ai-catalog.json',
      'GET /:platform/.well-known/jwks.json',
      'GET /:platform/.well-known/mcp.json',
      'GET /:platform/.well-known/oauth-authorization-server',
      'GET /:platform/.well-known/oauth-protected-resource',
      'GET /:platform/.well-known/oauth-protected-resource/*',
      'GET /:platform/.well-known/openid-configuration',
      'GET /:platform/docs/:page',
      'GET /:platform/llms.txt',
      'GET /:platform/mcp/server-card',
      'GET /llms.txt',
      'GET /mailbox',
      'GET /openapi.json',
      'POST /:platform/rest/signup',
    ]);
  });

  test('has no path of its own that a platform could have as its name', () => {
    const own = new Set(routes.map(({ url }) => url.split('/')[1] ?? '').filter((segment) => segment !== '' && !segment.startsWith(':')));
    expect([...own].sort()).toEqual(expect.arrayContaining(['.well-known', 'mailbox', 'openapi.json']));
    // The operators' own platform is a platform, whose document stands there from the first start on.
    expect([...own].filter((segment) => !reservedPlatformNames.has(segment))).toEqual([systemPlatform]);
  });

  test('puts everything under manage behind an operator', () => {
    const managed = routes.filter(({ url }) => url.includes('/manage'));
    expect(managed.length).toBeGreaterThan(10);
    expect(managed.filter(({ config }) => config.authentication !== 'operator' || config.errors !== 'problem').map(name)).toEqual([]);
  });
});

describe('whoever shows nothing', () => {
  test('is told invalid_client in JSON by routes for clients', async () => {
    const asked = ofAuthentication('client');
    const told = await answers(asked, async (route) => {
      const { status, type, text, headers } = await ask({
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
    const asked = ofAuthentication('bearer');
    const told = await answers(asked, async (route) => {
      const { status, type, headers } = await ask({ method: route.method as 'GET', url: pathOf(route) });
      return { status, type, bearer: String(headers['www-authenticate']).startsWith('Bearer ') };
    });
    expect(told).toEqual(all(asked, { status: 401, type: 'application/json; charset=utf-8', bearer: true }));
  });

  test.each([undefined, 'Bearer nonsense', 'Basic YTpi'])(
    'is challenged by the management API in a problem, whatever it asks for (%s)',
    async (authorization) => {
      const asked = ofAuthentication('operator');
      const told = await answers(asked, async (route) => {
        const headers = authorization === undefined ? {} : { authorization };
        const { status, type, headers: sent } = await ask({ method: route.method as 'GET', url: pathOf(route), headers });
        return { status, type: type.split(';')[0], bearer: String(sent['www-authenticate']).startsWith('Bearer ') };
      });
      expect(told).toEqual(all(asked, { status: 401, type: 'application/problem+json', bearer: true }));
    },
  );

  test('is challenged for a Bearer token first and then for HTTP Basic by routes for accounts, in a problem', async () => {
    const asked = ofAuthentication('account');
    const told = await answers(asked, async (route) => {
      const { status, type, headers } = await ask({ method: route.method as 'GET', url: pathOf(route) });
      return {
        status,
        type: type.split(';')[0],
        challenge: /^Bearer .*, Basic realm="acme", charset="UTF-8"$/.test(String(headers['www-authenticate'])),
      };
    });
    expect(told).toEqual(all(asked, { status: 401, type: 'application/problem+json', challenge: true }));
  });

  test('is told by a page on pages, and by JSON where a token is asked about', async () => {
    for (const route of ofAuthentication('browser')) {
      const { status, type, headers } = await ask({
        method: route.method as 'POST',
        url: pathOf(route),
        ...(route.method === 'POST' ? form({}) : {}),
      });
      expect([name(route), type, headers.location, status < 500]).toEqual([name(route), 'text/html; charset=utf-8', undefined, true]);
    }
    for (const route of ofAuthentication('token'))
      expect(await ask({ method: 'GET', url: pathOf(route) })).toMatchObject({ status: 400, type: 'application/json; charset=utf-8' });
  });
});

describe('every route', () => {
  test('answers a method that it does not have with 405, Allow and its own style', async () => {
    for (const url of new Set(routes.map((route) => route.url))) {
      const [first] = routes.filter((route) => route.url === url);
      if (first === undefined) throw new Error('a route without a method');
      // A path may be another route's as well, whose parameter takes its last segment.
      const methods = new Set(routes.filter((route) => route.url === url || takes(route, pathOf(first))).map((route) => route.method));
      const missing = (['PUT', 'DELETE', 'PATCH', 'POST', 'GET'] as const).filter((method) => !methods.has(method));
      for (const method of missing) {
        const { status, headers, type } = await ask({ method, url: pathOf(first) });
        const style = { oauth: 'application/json', page: 'text/html', problem: 'application/problem+json' }[first.config.errors ?? 'oauth'];
        expect([url, method, status, type.split(';')[0]]).toEqual([url, method, 405, style]);
        expect(String(headers.allow).split(', ')).toEqual(expect.arrayContaining([...methods]));
      }
    }
  });

  test('answers an unknown platform with 404, operators after their token', async () => {
    for (const route of routes.filter(({ url, method }) => url.includes(':platform') && method !== 'OPTIONS')) {
      // The one checks the token before; the other, where there is no resource, answers as if it were not there.
      if (route.config.authentication === 'operator' || route.config.authentication === 'upstream') continue;
      const body = route.method === 'POST' ? form({ token: 'x', grant_type: 'refresh_token' }) : {};
      const { status, type, text } = await ask({ method: route.method as 'GET', url: pathOf(route, 'nowhere'), ...body });
      expect([name(route), status, type]).toEqual([name(route), 404, 'application/json; charset=utf-8']);
      if (route.method !== 'HEAD')
        expect(JSON.parse(text)).toMatchObject({ error: 'not_found', platforms: ['http://localhost:4000/acme'] });
    }
  });

  test('answers a preflight with 204 where browsers may come, and without CORS elsewhere', async () => {
    for (const route of routes.filter(({ method, config }) => method !== 'OPTIONS' && config.authentication !== 'upstream')) {
      const headers = {
        origin: 'https://app.example',
        'access-control-request-method': route.method,
        'access-control-request-headers': 'authorization',
      };
      const preflight = await ask({ method: 'OPTIONS', url: pathOf(route), headers });
      const answer = await ask({ method: route.method as 'GET', url: pathOf(route), headers: { origin: 'https://app.example' } });
      const open = route.config.openToBrowsers === true;
      expect([
        name(route),
        preflight.status,
        preflight.headers['access-control-allow-origin'],
        answer.headers['access-control-allow-origin'],
      ]).toEqual([name(route), open ? 204 : 405, open ? '*' : undefined, open ? '*' : undefined]);
      for (const each of [preflight, answer]) expect(each.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  test.each([
    [
      'a form with every name repeated',
      'application/x-www-form-urlencoded',
      'token=a&token=b&csrf=a&csrf=b&request=a&request=b&email=a&email=b&client_id=a&client_id=b',
    ],
    [
      'a form with hostile names',
      'application/x-www-form-urlencoded',
      '__proto__=x&constructor=y&toString=z&token[]=1&token[a]=2&%00=1&=&&',
    ],
    ['a form with a NUL', 'application/x-www-form-urlencoded', 'token=%00&client_id=%00&csrf=%00&email=%00&password=%00&decision=%00'],
    ['a form of half an escape', 'application/x-www-form-urlencoded', 'token=%&client_id=%e2%28&csrf=%zz'],
    ['JSON', 'application/json', '{"token":{"a":1}}'],
    ['broken JSON', 'application/json', '{"canary-in-json'],
    ['JSON with a prototype', 'application/json', '{"__proto__":{"x":1},"constructor":{"prototype":{}}}'],
    ['an unknown type', 'application/x-nonsense', 'abc'],
    ['70 kilobytes', 'application/x-www-form-urlencoded', `token=${'a'.repeat(70_000)}`],
  ])('fails on nothing that it is sent: %s', async (_, type, payload) => {
    for (const route of routes.filter(({ method }) => method !== 'OPTIONS' && method !== 'HEAD')) {
      const query = '?client_id=%00&redirect_uri=%ff&token=%&token=b&state=%zz&__proto__=1';
      const body = route.method === 'GET' ? {} : { payload, headers: { 'content-type': type } };
      const { status, text } = await ask({
        method: route.method as 'POST',
        url: `${pathOf(route)}${route.method === 'GET' ? query : ''}`,
        ...body,
      });
      expect([name(route), status]).toEqual([name(route), expect.any(Number)]);
      expect(status, name(route)).toBeLessThan(500);
      expect(text).not.toContain('canary');
    }
    expect(lines.filter((line) => line.includes('request failed'))).toEqual([]);
  });
});
