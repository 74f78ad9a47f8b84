import { clientParameters } from '@grantlog/protocol';
import type { RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { authorizationParameters } from '../../src/endpoints/authorize/check-request.ts';
import { deviceAuthorizationParameters } from '../../src/endpoints/device-authorization.ts';
import { tokenParameters } from '../../src/grants/token-request.ts';
import { type Answer, createWorld, type World } from './support/world.ts';

/** Every route of the server, as it was added. */
const routes: { readonly method: string; readonly url: string }[] = [];
const note = ({ method, url }: RouteOptions): void => void routes.push(...[method].flat().map((each) => ({ method: each, url })));

let world: World;
let answer: Answer;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'), { onRoute: note });
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

test('is an OpenAPI 3.1 document that anybody may read', () => {
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ openapi: '3.1.0', info: { title: 'Grantlog' }, servers: [{ url: 'http://localhost:4000' }] });
  expect(answer.headers['access-control-allow-origin']).toBe('*');
});

test('describes every route of the server, and no other', () => {
  const served = routes
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
  const auditing = operations().filter(([, { security }]) => JSON.stringify(security) === JSON.stringify([{ operator: ['audit'] }]));
  expect(auditing.length).toBeGreaterThan(4);
  expect(auditing.filter(([name]) => !name.includes('/audit/'))).toEqual([]);
  const others = operations().filter(
    ([name, { security }]) => !/\/(?:manage|audit)\//.test(name) && JSON.stringify(security).includes('operator'),
  );
  // Of events an operator has all, and whoever else has a token those that concern it.
  expect(others.map(([name, { security }]) => [name, security])).toEqual([
    ['GET /{platform}/events', [{ bearer: [] }, { operator: ['manage'] }]],
  ]);
});

describe('the OAuth endpoints', () => {
  type Schema = { readonly properties?: Readonly<Record<string, object>>; readonly required?: readonly string[] };
  const formOf = (name: string): Schema => {
    const { requestBody } = Object.fromEntries(operations())[name] ?? {};
    const { content = {} } = (requestBody ?? {}) as { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
    expect(Object.keys(content), name).toEqual(['application/x-www-form-urlencoded']);
    return content['application/x-www-form-urlencoded']?.schema ?? {};
  };

  test.each([
    ['POST /{platform}/oauth/token', tokenParameters, ['grant_type']],
    ['POST /{platform}/oauth/connect/token', tokenParameters, ['grant_type']],
    ['POST /{platform}/oauth/authorize', authorizationParameters, ['client_id']],
    ['POST /{platform}/oauth/connect/authorize', authorizationParameters, ['client_id']],
    [
      'POST /{platform}/oauth/par',
      [
        ...authorizationParameters.filter((name) => !name.startsWith('request')),
        ...clientParameters.filter((name) => name !== 'client_id'),
      ],
      ['response_type'],
    ],
    ['POST /{platform}/oauth/device_authorization', deviceAuthorizationParameters, []],
    ['POST /{platform}/oauth/revoke', ['token', 'token_type_hint', ...clientParameters], ['token']],
    ['POST /{platform}/oauth/connect/revocation', ['token', 'token_type_hint', ...clientParameters], ['token']],
    ['POST /{platform}/oauth/introspect', ['token', 'token_type_hint', ...clientParameters], ['token']],
    ['POST /{platform}/oauth/context', ['token', 'context', ...clientParameters], ['token', 'context']],
    [
      'POST /{platform}/oauth/basicvalidation',
      ['username', 'password', 'resource', 'client_address', ...clientParameters],
      ['username', 'password', 'resource', 'client_address'],
    ],
  ])('%s takes a form of exactly what it reads', (name, taken, required) => {
    const { properties = {}, required: needed = [] } = formOf(name);
    expect(Object.keys(properties).toSorted()).toEqual([...taken].toSorted());
    expect([...needed].toSorted()).toEqual([...required].toSorted());
  });

  test.each([
    ['GET /{platform}/oauth/authorize', authorizationParameters],
    ['GET /{platform}/oauth/connect/authorize', authorizationParameters],
    ['GET /{platform}/oauth/connect/accesstokenvalidation', ['token']],
  ])('%s takes a query of exactly what it reads', (name, taken) => {
    const { parameters = [] } = (Object.fromEntries(operations())[name] ?? {}) as {
      readonly parameters?: readonly { readonly in: string; readonly name: string }[];
    };
    const inQuery = parameters.flatMap((parameter) => (parameter.in === 'query' ? [parameter.name] : []));
    expect(inQuery.toSorted()).toEqual([...taken].toSorted());
  });

  test('are worded by OAuth and not by the router when a form is not as described', async () => {
    const sent = { 'content-type': 'application/x-www-form-urlencoded' };
    const refused = await world.app.inject({ method: 'POST', url: '/system/oauth/token', headers: sent, payload: 'resource=no-uri' });
    expect([refused.statusCode, Object.keys(refused.json() as object)]).toEqual([expect.any(Number), ['error', 'error_description']]);
  });
});

test('says of every operation of programs what it answers and how it refuses, in words', () => {
  const ofPrograms = operations().filter(([, { tags }]) => !['Pages', 'About', 'Discovery'].includes(tags?.[0] ?? ''));
  expect(ofPrograms.length).toBeGreaterThan(60);
  const silent = ofPrograms.filter(([, { responses }]) => {
    const codes = Object.keys(responses);
    const words = Object.values(responses).map((response) => (response as { readonly description?: string }).description ?? '');
    return (
      !codes.some((code) => code.startsWith('2') || code === 'default') ||
      !codes.some((code) => code >= '400') ||
      words.includes('Default Response')
    );
  });
  expect(silent.map(([name]) => name)).toEqual([]);
  expect(JSON.stringify(answer.body)).not.toContain('x-response-description');
});

test('uses each id of a parameter in a path once, and refers to nothing that is not there', () => {
  for (const [name, operation] of operations()) {
    const { parameters = [] } = operation as { readonly parameters?: readonly { readonly in: string; readonly name: string }[] };
    const inPath = [...(name.split(' ')[1] ?? '').matchAll(/\{([^}]+)\}/g)].map(([, id]) => id);
    expect(parameters.flatMap((parameter) => (parameter.in === 'path' ? [parameter.name] : [])).toSorted(), name).toEqual(
      inPath.toSorted(),
    );
  }
  const text = JSON.stringify(answer.body);
  for (const [, pointer = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = pointer.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], answer.body);
    expect(found, pointer).toBeDefined();
  }
});
