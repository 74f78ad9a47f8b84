import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGuard } from '../src/index.ts';
import { type FakeAuthorizationServer, startAuthorizationServer } from './authorization-server.ts';
import { challengesOf } from './challenges.ts';

let server: FakeAuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  server.reset();
  const about = { active: true, iss: server.issuer, aud: server.resource, sub: 'a1' };
  server.reply('basic', { ...about, roles: [], account_kind: 'person', notice: null });
  server.reply('introspection', { ...about, token_type: 'Bearer', exp: Math.floor(Date.now() / 1_000) + 60 });
});

const basic = `Basic ${btoa('a:b')}`;
const check = (authorization: string, request?: { readonly method?: string; readonly headers: Readonly<Record<string, string>> }) =>
  createGuard({ issuer: server.issuer, resource: server.resource, clientId: 'c', clientSecret: 's' }).check({
    authorization,
    scope: [],
    clientAddress: '192.0.2.1',
    request,
  });
// What these headers say is written by the browser, and no page can change it.
const sent = (method: string, site: string, mode: string, dest: string) => ({
  method,
  headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
});

test.each([
  ['a form', sent('POST', 'cross-site', 'navigate', 'document')],
  ['a form of a neighbour', sent('POST', 'same-site', 'navigate', 'document')],
  ['a frame', sent('GET', 'cross-site', 'navigate', 'iframe')],
  ['a picture', sent('GET', 'cross-site', 'no-cors', 'image')],
  ['a script without CORS', sent('POST', 'same-site', 'no-cors', 'empty')],
  ['a navigation of no known method', { headers: sent('', 'cross-site', 'navigate', 'document').headers }],
])('refuses Basic that a browser remembers and %s of another origin has it send', async (_, request) => {
  const outcome = await check(basic, request);
  expect(outcome).toMatchObject({
    kind: 'refused',
    status: 403,
    body: { error: 'access_denied', error_description: expect.stringContaining('Pages of other origins cannot use the credentials') },
  });
  // A browser that were asked again would ask its person.
  expect(challengesOf(outcome)).toEqual([]);
  expect(server.asked('basic')).toEqual([]);
});

test.each([
  ['a link that somebody follows', basic, sent('GET', 'cross-site', 'navigate', 'document')],
  ['an address that somebody types', basic, sent('GET', 'none', 'navigate', 'document')],
  ['a page of its own', basic, sent('POST', 'same-origin', 'no-cors', 'empty')],
  ['a script that CORS lets name its credentials', basic, sent('PUT', 'cross-site', 'cors', 'empty')],
  ['a program', basic, { method: 'DELETE', headers: {} }],
  ['nobody who says how', basic, undefined],
  ['a page of another origin with a token, which no browser remembers', 'Bearer tok', sent('POST', 'cross-site', 'no-cors', 'empty')],
])('judges what is sent by %s', async (_, authorization, request) => {
  expect((await check(authorization, request)).kind).toBe('allowed');
});
