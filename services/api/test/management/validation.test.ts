import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { unstorable } from '../../src/json-api/unstorable.ts';
import { createWorld, type World } from './support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const clients = '/arlo/manage/clients';
const machine = { kind: 'confidential', name: 'A machine', grantTypes: ['client_credentials'] };
const send = (payload: string, contentType = 'application/json') =>
  world.app.inject({ method: 'POST', url: clients, headers: { authorization: `Bearer ${root}`, 'content-type': contentType }, payload });

describe('a body', () => {
  test('tells every unknown, missing and wrong member at once, by its name', async () => {
    const answer = await world.call(root, 'POST', clients, { kind: 'secret', nmae: 'Typo', surprise: 1, scopes: ['ok', 7] });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    const errors = answer.body['errors'] as readonly { readonly path: string; readonly problem: string; readonly fix: string }[];
    expect(errors.map(({ path, problem }) => `${path}: ${problem}`).sort()).toEqual(
      [
        'kind: must be equal to one of the allowed values',
        'name: is missing',
        'nmae: is not a known property',
        'scopes[1]: must be string',
        'surprise: is not a known property',
      ].sort(),
    );
    expect(answer.body['detail']).toContain('is not a known property');
  });

  test('is not coerced: a number is no text, and a text no number', async () => {
    expect((await world.call(root, 'POST', clients, { ...machine, name: 7 })).status).toBe(400);
    expect((await world.call(root, 'POST', `${clients}/x/secret`, { overlapSeconds: '60' })).status).toBe(400);
  });

  test.each(['\u0000', '\ud800', '\udc00', '\u0007', '\u001b[31m'])(
    'with the character %j in a value or a key is refused, and the log goes on',
    async (bad) => {
      for (const body of [
        { ...machine, name: `A${bad}B` },
        { ...machine, scopes: [`s${bad}`] },
        { ...machine, [`k${bad}`]: 1 },
      ]) {
        // The escape reaches the parser as it was written: what it decodes to is the value in question.
        const response = await send(JSON.stringify(body));
        expect(response.statusCode).toBe(400);
        expect(response.json()).toMatchObject({
          code: 'invalid_request',
          errors: [{ problem: expect.stringMatching(/surrogate|control/) }],
        });
      }
      expect((await world.call(root, 'POST', clients, machine)).status).toBe(201);
    },
  );

  test('with such characters in the path is refused too, or finds nothing', async () => {
    for (const path of [
      `${clients}/a%00b`,
      '/arlo/manage/accounts/a%00b',
      '/arlo/manage/grants/a%00b',
      '/arlo/manage/webhook-endpoints/a%00b',
    ]) {
      expect([400, 404]).toContain((await world.call(root, 'GET', path)).status);
    }
    expect((await world.call(root, 'GET', '/arlo/manage/grants?clientId=a%00b')).status).toBe(400);
  });

  test('that is not JSON, is a form, is too large or too deep is refused with a problem', async () => {
    expect((await send('{')).statusCode).toBe(400);
    expect((await send('name=x', 'application/x-www-form-urlencoded')).statusCode).toBe(415);
    expect((await send('name', 'text/plain')).statusCode).toBe(415);
    const large = await send(JSON.stringify({ ...machine, name: 'x'.repeat(70_000) }));
    expect(large.statusCode).toBe(413);
    expect(large.headers['content-type']).toContain('application/problem+json');
    expect((await send('[]')).statusCode).toBe(400);
    expect((await send('null')).statusCode).toBe(400);
    const deep = await world.app.inject({
      method: 'PUT',
      url: '/system/manage/platforms/deep',
      headers: { authorization: `Bearer ${root}`, 'content-type': 'application/json' },
      payload: `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    });
    expect(deep.statusCode).toBe(400);
  });

  test('with a prototype in it is refused', async () => {
    expect((await send('{"__proto__":{"kind":"public"},"name":"x"}')).statusCode).toBe(400);
  });

  test('that a command does not take is refused rather than ignored', async () => {
    expect(await world.call(root, 'POST', `${clients}/x/approve`, { asOf: 1, force: true })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'force' }] },
    });
  });
});

test.each([
  ['/arlo/manage/grants', 'before'],
  ['/arlo/manage/grants', 'minPosition'],
  ['/arlo/manage/clients', 'minPosition'],
])('a number that is too large is refused by its name, and never reaches the log: %s %s', async (path, name) => {
  for (const number of ['1e20', '99999999999999999999']) {
    const { status, body } = await world.call(root, 'GET', `${path}?${name}=${number}`);
    expect([status, body['errors']]).toMatchObject([400, [{ path: name, problem: 'is too large a number' }]]);
  }
});

describe('unstorable', () => {
  const plain = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/\p{Cc}/gu, ''));

  test('finds nothing in what is plain, whatever its shape', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: fc.constantFrom('a', ' ', '"', '\\', '/', 'é', '漢', '😀') }), (value) => {
        const exact = (_: string, each: unknown) => (typeof each === 'number' && Math.abs(each) > Number.MAX_SAFE_INTEGER ? 7 : each);
        expect(unstorable(JSON.parse(JSON.stringify(value, exact)))).toEqual([]);
      }),
    );
  });

  test('refuses what is nested deeper than anything is, at once', () => {
    const started = performance.now();
    const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(unstorable(deep)).toMatchObject([{ problem: 'is nested deeper than 32 levels' }]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('finds a bad character wherever it is, and says where', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('\0', '\ud800', '\udfff', '\n', '\u009f'),
        plain,
        plain,
        fc.array(fc.oneof(fc.nat(3), fc.constantFrom('a', 'b')), { maxLength: 6 }),
        (bad, before, after, path) => {
          const value = path.reduceRight<unknown>(
            (inner, step) => (typeof step === 'number' ? [...Array<string>(step).fill('fine'), inner] : { fine: 'fine', [step]: inner }),
            // A surrogate between others could make a pair.
            `${before} ${bad} ${after}`,
          );
          expect(unstorable(value).map((found) => found.path)).toEqual([path]);
        },
      ),
    );
  });
});
