import type { PlatformId } from '@grantlog/eventsourcing';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { createExplorers, type Explorers, type Person } from './support/explorers.ts';

let world: World;
let explorers: Explorers;
let platform: PlatformId;
let person: Person;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  explorers = createExplorers(world);
  platform = await explorers.configure('explored', {
    exploration: { days: 30, requestsPerDay: 1_000, administratorRole: 'administrator' },
  });
  person = await explorers.person(platform);
});
afterAll(() => world.close());

const headersOf = async (authorization: string, method: InjectOptions['method'], path: string, payload?: object) => {
  const url = `/${platform}${path}`;
  const response = await world.app.inject({
    method: method ?? 'GET',
    url,
    headers: { authorization },
    ...(payload === undefined ? {} : { payload }),
  });
  const { deprecation, sunset, warning, ratelimit, link, 'ratelimit-policy': policy } = response.headers;
  return { status: response.statusCode, told: { deprecation, sunset, warning, ratelimit, policy, link } };
};
const everything = {
  deprecation: '@1738281600',
  sunset: expect.stringMatching(/ GMT$/),
  warning: expect.stringMatching(/^299 - ".*OAuth 2.*"$/),
  ratelimit: expect.stringMatching(/^"exploration";r=\d+;t=\d+$/),
  policy: '"exploration";q=1000;w=86400',
  link: '<https://docs.example/oauth>; rel="sunset"',
};

test.each([
  ['an answer of the account API', 'GET', '/account/security', undefined, 200],
  ['a refusal of the account API', 'GET', '/account/integration-accounts', undefined, 403],
  ['a body that the account API does not take', 'PUT', '/account/password', { nonsense: true }, 400],
  ['an answer of the developer API', 'GET', '/developer/clients', undefined, 200],
  ['a refusal of the developer API', 'GET', '/developer/clients/nobody', undefined, 404],
  ['a body that the developer API does not take', 'POST', '/developer/clients', { nonsense: true }, 400],
] as const)('%s to HTTP Basic tells of its end and of what is left today', async (_, method, path, payload, status) => {
  const basic = `Basic ${btoa(`${person.email}:${person.password}`)}`;
  expect(await headersOf(basic, method, path, payload)).toEqual({ status, told: everything });
});

test.each(['account', 'developer'])('an answer to a token says nothing of it (%s API)', async (need) => {
  const resource = `http://localhost:4000/${platform}/${need}`;
  const { accessToken } = await explorers.token(platform, person.id, { scopes: [need], resource });
  const path = need === 'account' ? '/account/security' : '/developer/clients';
  expect(await headersOf(`Bearer ${accessToken}`, 'GET', path)).toEqual({ status: 200, told: {} });
});
