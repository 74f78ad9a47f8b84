import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Answer, createWorld, type World } from './support/world.ts';

let world: World;
let answer: Answer;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  answer = await world.call(null, 'GET', '/openapi.json');
});
afterAll(() => world.close());

type Operation = {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
  readonly requestBody?: object;
};
const paths = (): Readonly<Record<string, Readonly<Record<string, Operation>>>> => answer.body['paths'] as never;
const operations = (): readonly (readonly [string, Operation])[] =>
  Object.entries(paths()).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );

/** Every route of the server as the router itself holds it. */
const routeTable = (): readonly { readonly method: string; readonly url: string }[] => {
  const routes: { method: string; url: string }[] = [];
  const open: string[] = [];
  for (const line of world.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', url = '', methods = ''] = /^([│ ]*)[├└]── (\S*?)(?: \((.*)\))?$/.exec(line) ?? [];
    if (url === '') continue;
    open.length = indent.length / 4;
    const full = open.join('') + url;
    open.push(url);
    routes.push(...(methods === '' ? [] : methods.split(', ').map((method) => ({ method, url: full }))));
  }
  return routes;
};

test('is an OpenAPI 3.1 document that anybody may read', () => {
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ openapi: '3.1.0', info: { title: 'Grantlog' }, servers: [{ url: 'http://localhost:4000' }] });
  expect(answer.headers['access-control-allow-origin']).toBe('*');
});

test('describes every route of the server, and no other', () => {
  const served = routeTable()
    .filter(({ method }) => method !== 'OPTIONS' && method !== 'HEAD')
    .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}').replace(/\/?\*$/, '/{*}')}`);
  expect(served.length).toBeGreaterThan(60);
  expect(
    operations()
      .map(([name]) => name)
      .toSorted(),
  ).toEqual(served.toSorted());
});

test('gives every operation a summary, a tag, an id of its own, and the authentication that its route declares', () => {
  expect(
    operations()
      .filter(([, { summary, tags }]) => summary === undefined || tags?.length !== 1)
      .map(([name]) => name),
  ).toEqual([]);
  expect(
    operations()
      .filter(([, { security }]) => security === undefined)
      .map(([name]) => name),
  ).toEqual([]);
  const ids = operations().map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('says of every management operation that it needs an operator, and what a problem looks like', () => {
  const managing = operations().filter(([name]) => name.includes('/manage/'));
  expect(managing.length).toBeGreaterThan(35);
  for (const [, { security, responses }] of managing) {
    expect(security).toEqual([{ operator: ['manage'] }]);
    expect(responses['default']?.content).toHaveProperty(['application/problem+json']);
  }
  expect(
    operations().filter(([name, { security }]) => !name.includes('/manage/') && JSON.stringify(security).includes('operator')),
  ).toEqual([]);
});
