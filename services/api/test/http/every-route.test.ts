import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { form, name, openRouteWorld, pathOf, type RouteWorld, takes } from './support/route-world.ts';

let world: RouteWorld;
beforeAll(async () => {
  world = await openRouteWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

describe('every route', () => {
  test('answers a method that it does not have with 405, Allow and its own style', async () => {
    for (const url of new Set(world.routes.map((route) => route.url))) {
      const [first] = world.routes.filter((route) => route.url === url);
      if (first === undefined) throw new Error('a route without a method');
      // A path may be another route's as well, whose parameter takes its last segment.
      const methods = new Set(
        world.routes.filter((route) => route.url === url || takes(route, pathOf(first))).map((route) => route.method),
      );
      const missing = (['PUT', 'DELETE', 'PATCH', 'POST', 'GET'] as const).filter((method) => !methods.has(method));
      for (const method of missing) {
        const { status, headers, type } = await world.ask({ method, url: pathOf(first) });
        const style = { oauth: 'application/json', page: 'text/html', problem: 'application/problem+json' }[first.config.errors ?? 'oauth'];
        expect([url, method, status, type.split(';')[0]]).toEqual([url, method, 405, style]);
        expect(String(headers.allow).split(', ')).toEqual(expect.arrayContaining([...methods]));
      }
    }
  });

  test('answers an unknown platform with 404, operators after their token', async () => {
    for (const route of world.routes.filter(({ url, method }) => url.includes(':platform') && method !== 'OPTIONS')) {
      // Operators and auditors show their token before; the last, where there is no resource, answers as if it were not there.
      if (['operator', 'auditor', 'upstream'].includes(route.config.authentication ?? '')) continue;
      const body = route.method === 'POST' ? form({ token: 'x', grant_type: 'refresh_token' }) : {};
      const { status, type, text } = await world.ask({ method: route.method as 'GET', url: pathOf(route, 'nowhere'), ...body });
      expect([name(route), status, type]).toEqual([name(route), 404, 'application/json; charset=utf-8']);
      if (route.method !== 'HEAD')
        expect(JSON.parse(text)).toMatchObject({ error: 'not_found', platforms: ['http://localhost:4000/acme'] });
    }
  });

  test('answers a preflight with 204 where browsers may come, and without CORS elsewhere', async () => {
    for (const route of world.routes.filter(({ method, config }) => method !== 'OPTIONS' && config.authentication !== 'upstream')) {
      const headers = {
        origin: 'https://app.example',
        'access-control-request-method': route.method,
        'access-control-request-headers': 'authorization',
      };
      const preflight = await world.ask({ method: 'OPTIONS', url: pathOf(route), headers });
      const answer = await world.ask({ method: route.method as 'GET', url: pathOf(route), headers: { origin: 'https://app.example' } });
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
    for (const route of world.routes.filter(({ method }) => method !== 'OPTIONS' && method !== 'HEAD')) {
      const query = '?client_id=%00&redirect_uri=%ff&token=%&token=b&state=%zz&__proto__=1';
      const body = route.method === 'GET' ? {} : { payload, headers: { 'content-type': type } };
      const { status, text } = await world.ask({
        method: route.method as 'POST',
        url: `${pathOf(route)}${route.method === 'GET' ? query : ''}`,
        ...body,
      });
      expect([name(route), status]).toEqual([name(route), expect.any(Number)]);
      expect(status, name(route)).toBeLessThan(500);
      expect(text).not.toContain('canary');
    }
    expect(world.lines.filter((line) => line.includes('request failed'))).toEqual([]);
  });
});
