import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGuard, type GuardProblem } from '../src/index.ts';
import { type FakeAuthorizationServer, startAuthorizationServer, status } from './authorization-server.ts';
import { challengesOf, headerOf } from './challenges.ts';

let server: FakeAuthorizationServer;
let problems: GuardProblem[];

beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.stop());
beforeEach(() => {
  problems = [];
  server.reset();
});

const encode = (pair: string | Uint8Array): string => `Basic ${Buffer.from(pair as string).toString('base64')}`;
const guard = () =>
  createGuard({
    issuer: server.issuer,
    resource: server.resource,
    clientId: 'c',
    clientSecret: 's',
    onProblem: (problem) => problems.push(problem),
  });
const clientAddress = '192.0.2.1';
const check = (authorization: string, address = clientAddress) =>
  guard().check({ authorization, scope: ['write'], clientAddress: address });

const notice = {
  message: 'HTTP Basic is for exploration: move to OAuth 2',
  sunset: 1_803_000_000,
  limit: 1_000,
  remaining: 999,
  reset: 3_600,
  documentation: 'https://developer.example/oauth?a="b"',
};
const good = () => ({
  active: true,
  iss: server.issuer,
  sub: 'a1',
  aud: server.resource,
  roles: ['api_user', 'presenter'],
  account_kind: 'integration',
  notice,
});

describe('HTTP Basic', () => {
  test('gives what the roles give, whatever scope is asked for, and tells of its end', async () => {
    server.reply('basic', good());
    expect(await check(encode('paula@example.org:pass:word'))).toEqual({
      kind: 'allowed',
      scheme: 'Basic',
      subject: 'a1',
      scopes: [],
      roles: ['api_user', 'presenter'],
      clientId: null,
      accountKind: 'integration',
      headers: [
        ['Deprecation', '@1738281600'],
        ['Sunset', 'Fri, 19 Feb 2027 01:20:00 GMT'],
        ['Link', '<https://developer.example/oauth?a=%22b%22>; rel="sunset"'],
        ['RateLimit-Policy', '"exploration";q=1000;w=86400'],
        ['RateLimit', '"exploration";r=999;t=3600'],
        ['Warning', '299 - "HTTP Basic is for exploration: move to OAuth 2"'],
      ],
    });
  });

  test('is sent on as the authorization server wants it, with the address of the caller', async () => {
    server.reply('basic', good());
    await check(encode('zoë@example.org:päss:wörd'), '2001:db8::1');
    const [asked] = server.asked('basic');
    expect(asked?.method).toBe('POST');
    expect(asked?.headers.authorization).toBe(encode('c:s'));
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      username: 'zoë@example.org',
      password: 'päss:wörd',
      resource: server.resource,
      client_address: '2001:db8::1',
    });
  });

  test.each([undefined, '', 'unknown', 'unknown, 1.2.3.4'])('is not judged without an IP address of the caller (%j)', async (address) => {
    server.reply('basic', good());
    const outcome = await guard().check({ authorization: encode('user:hunter2'), scope: [], clientAddress: address });
    expect(outcome).toMatchObject({ kind: 'refused', status: 503 });
    expect(server.asked('basic')).toEqual([]);
    expect(problems).toEqual([{ kind: 'no_client_address', message: expect.stringContaining('clientAddress') }]);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|1\.2\.3\.4/);
  });

  test('of wrong credentials is 401 with both challenges and no error code of Bearer', async () => {
    const outcome = await check(encode('a:b'));
    expect(outcome).toMatchObject({
      status: 401,
      body: { error: 'invalid_credentials', error_description: 'Wrong user name or password' },
    });
    const [bearer, basic] = challengesOf(outcome);
    expect(bearer).toEqual({ scheme: 'Bearer', parameters: { realm: 'arlo', scope: 'write', resource_metadata: server.resourceMetadata } });
    expect(basic).toEqual({ scheme: 'Basic', parameters: { realm: 'arlo', charset: 'UTF-8' } });
  });

  test('of somebody who guesses too often is 429 with Retry-After', async () => {
    server.reply('basic', { active: false, reason: 'too_many_attempts', description: 'Wait', retry_after: 42 });
    const outcome = await check(encode('a:b'));
    expect(outcome).toMatchObject({ status: 429, body: { error: 'too_many_attempts', error_description: 'Wait' } });
    expect(headerOf(outcome, 'Retry-After')).toBe('42');
    expect(challengesOf(outcome)).toEqual([]);
  });

  test.each([
    'second_factor_enabled',
    'second_factor_required',
    'exploration_ended',
    'daily_limit_reached',
    'account_unusable',
    'something_new',
  ])('that is refused for %s is 403 with the reason, and prompts nobody', async (reason) => {
    server.reply('basic', { active: false, reason, description: 'Use OAuth 2', documentation: 'https://developer.example/oauth' });
    const outcome = await check(encode('a:b'));
    expect(outcome).toMatchObject({
      status: 403,
      body: { error: reason, error_description: 'Use OAuth 2', documentation: 'https://developer.example/oauth' },
    });
    expect(challengesOf(outcome)).toEqual([]);
  });

  test('that is refused until tomorrow says when', async () => {
    server.reply('basic', { active: false, reason: 'daily_limit_reached', description: 'Enough', retry_after: 7_200 });
    expect(headerOf(await check(encode('a:b')), 'Retry-After')).toBe('7200');
  });

  test('that is refused without words is 403 all the same', async () => {
    server.reply('basic', { active: false, documentation: 'javascript:alert(1)' });
    expect(await check(encode('a:b'))).toMatchObject({ status: 403, body: { error: 'access_denied' } });
    expect(JSON.stringify(await check(encode('a:b')))).not.toContain('javascript');
  });

  test.each([
    ['no base64', 'Basic %%%'],
    ['nothing', 'Basic'],
    ['no colon', encode('user')],
    ['no user name', encode(':password')],
    ['no password', encode('user:')],
    ['a control character', encode('us\ner:password')],
    ['a NUL', encode('user:pass\0word')],
    ['a DEL', encode('user:pass\x7fword')],
    ['another encoding than UTF-8', encode(Uint8Array.from([0x61, 0x3a, 0xe9]))],
    ['too much', encode(`user:${'x'.repeat(4_096)}`)],
    ['more than the authorization server reads of a password', encode(`user:${'x'.repeat(2_049)}`)],
    ['more than it reads of a user name', encode(`${'x'.repeat(2_049)}:password`)],
  ])('of %s is 401 without asking anybody', async (_, authorization) => {
    const outcome = await check(authorization);
    expect(outcome).toMatchObject({ status: 401, body: { error: 'invalid_credentials' } });
    expect(challengesOf(outcome).map(({ scheme }) => scheme)).toEqual(['Bearer', 'Basic']);
    expect(server.asked('basic')).toEqual([]);
  });

  test('where the platform does not take it counts as no credentials, and is sent to nobody', async () => {
    server.reply('metadata', { ...server.metadata, basic_validation_endpoint: undefined });
    for (const authorization of [encode('a:b'), 'Basic %%%']) {
      const outcome = await check(authorization);
      expect(outcome).toMatchObject({ status: 401, body: { error: 'not_authenticated' } });
      expect(challengesOf(outcome).map(({ scheme }) => scheme)).toEqual(['Bearer']);
    }
    expect([...server.asked('basic'), ...server.asked('introspection')]).toEqual([]);
  });

  test.each([
    ['is about another issuer', { iss: 'https://other.example' }],
    ['is about another resource', { aud: 'https://other.example/api' }],
    ['is about nobody', { sub: undefined }],
    ['does not say what kind of account it is', { account_kind: undefined }],
    ['says neither yes nor no', { active: 'yes' }],
  ])('whose judgement %s is 503', async (_, change) => {
    server.reply('basic', { ...good(), ...change });
    expect(await check(encode('a:b'))).toMatchObject({ kind: 'refused', status: 503 });
    expect(problems).toMatchObject([{ kind: 'unusable_answer' }]);
  });

  test.each([
    [status(500), 'unreachable'],
    [status(401), 'client_refused'],
    [status(403), 'client_refused'],
  ])('that nobody can judge is 503 (%#)', async (reply, kind) => {
    server.reply('basic', reply);
    expect(await check(encode('user:hunter2'))).toMatchObject({ kind: 'refused', status: 503 });
    expect(problems).toMatchObject([{ kind }]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('with a notice that is no use is allowed without the headers', async () => {
    server.reply('basic', {
      ...good(),
      notice: { message: 5, sunset: -1, limit: '9', remaining: 1.5, reset: null, documentation: 'no url' },
    });
    expect((await check(encode('a:b'))).headers).toEqual([]);
    server.reply('basic', { ...good(), notice: null });
    expect((await check(encode('a:b'))).kind).toBe('allowed');
  });
});

describe('for everything that can be typed or said', () => {
  const typed = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((text) => text.isWellFormed());
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what RFC 7617 §2 forbids
  const control = /[\x00-\x1f\x7f]/;

  test('a user name and a password arrive as they were typed, or not at all', async () => {
    const one = guard();
    await fc.assert(
      fc.asyncProperty(typed, typed, async (name, password) => {
        fc.pre(!name.includes(':'));
        const before = server.asked('basic').length;
        await one.check({ authorization: encode(`${name}:${password}`), scope: [], clientAddress });
        const asked = server.asked('basic').slice(before);
        const arrived = asked.map(({ form }) => [form.get('username'), form.get('password')]);
        expect(arrived).toEqual(control.test(name + password) ? [] : [[name, password]]);
      }),
      { numRuns: 150 },
    );
  });

  test('no answer of an authorization server makes a header that splits or cannot be sent', async () => {
    const one = guard();
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text, fc.webUrl({ withQueryParameters: true }), fc.maxSafeNat(), async (message, documentation, number) => {
        server.reply('basic', {
          ...good(),
          notice: { message, documentation, sunset: number, limit: number, remaining: number, reset: number },
        });
        const { headers } = await one.check({ authorization: encode('a:b'), scope: [], clientAddress });
        for (const [, value] of headers) expect(value).toMatch(/^[\x20-\x7e]+$/);
        expect(() => new Headers(headers.map(([name, value]): [string, string] => [name, value]))).not.toThrow();
      }),
      { numRuns: 150 },
    );
  });

  test('every refusal can be read by the grammar of challenges', async () => {
    const one = guard();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary-ascii', maxLength: 40 }),
        fc.constantFrom('Bearer ', 'Basic ', ''),
        async (text, scheme) => {
          const outcome = await one.check({ authorization: scheme + text, scope: ['read'], clientAddress });
          expect(outcome.kind).toBe('refused');
          expect(challengesOf(outcome)[0]?.scheme).toBe('Bearer');
        },
      ),
      { numRuns: 150 },
    );
  });
});
