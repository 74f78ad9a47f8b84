import { eventTypes } from '@grantlog/domain';
import { Compile } from 'typebox/schema';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { judgeWebhook } from '../../../../test/support/judge-webhook.ts';
import { webhooksPage } from '../../src/documentation/webhooks-page.ts';
import { type Answer, createWorld, type Json, type World } from '../management/support/world.ts';

let world: World;
let openApi: Answer;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  openApi = await world.call(null, 'GET', '/openapi.json');
});
afterAll(() => world.close());

const list = '/arlo/webhooks/event-types';
const names = eventTypes.map(({ type }) => type);
/** What the document says at a place in it. */
const described = (...place: readonly string[]): Json =>
  place.reduce<unknown>((at, step) => (at as Json | undefined)?.[step], openApi.body) as Json;
const answerSchema = (path: string): Json => described('paths', path, 'get', 'responses', '200', 'content', 'application/json', 'schema');

describe('the list of event types', () => {
  test('is there for anybody, of any origin, and as the OpenAPI document says', async () => {
    const { status, headers, body } = await world.call(null, 'GET', list);
    expect([status, headers['content-type'], headers['access-control-allow-origin']]).toEqual([
      200,
      'application/json; charset=utf-8',
      '*',
    ]);
    expect(body).toEqual({ eventTypes });
    expect(Compile(answerSchema('/{platform}/webhooks/event-types')).Errors(body)).toEqual([true, []]);
  });

  test('has each type by itself', async () => {
    const schema = Compile(answerSchema('/{platform}/webhooks/event-types/{type}'));
    for (const type of names) {
      const { status, body } = await world.call(null, 'GET', `${list}/${type}`);
      expect([status, body]).toEqual([200, eventTypes.find((each) => each.type === type)]);
      expect(schema.Errors(body)).toEqual([true, []]);
    }
  });

  test.each(['grant.denied', 'grant.*', 'toString', '%00', 'x'.repeat(300)])('names what there is to who asks for %s', async (type) => {
    const { status, headers, body, text } = await world.call(null, 'GET', `${list}/${type}`);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
      'no-store',
    ]);
    expect(body).toMatchObject({ code: 'unknown_event_type', eventTypes: names });
    expect(text).not.toContain('xxx');
  });

  test.each([list, `${list}/grant.revoked`])('may be kept for a while, and is not sent again to who has it: %s', async (url) => {
    const { headers } = await world.call(null, 'GET', url);
    expect(headers['cache-control']).toBe('public, max-age=300');
    const again = await world.app.inject({ url, headers: { 'if-none-match': `"other", W/${headers['etag']}` } });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const other = await world.app.inject({ url, headers: { 'if-none-match': '"other"' } });
    expect([other.statusCode, other.headers['etag']]).toEqual([200, headers['etag']]);
  });

  test.each(['', '/grant.revoked', '/nothing'])('is not there on a platform that is not there (%s)', async (rest) => {
    expect(await world.call(null, 'GET', `/nowhere/webhooks/event-types${rest}`)).toMatchObject({
      status: 404,
      body: { error: 'not_found', error_description: 'No such platform' },
    });
  });

  test('is what the page about webhooks leads to', () => {
    const issuer = 'https://as.example/arlo';
    // Of the document the page reads these alone.
    const document = {
      webhooks: { allowLoopback: false },
      lifetimes: { accessTokenSeconds: 600 },
      mcpServer: null,
      agentSignUp: null,
    } as never;
    expect(webhooksPage.write({ document, issuer })).toContain(`](${issuer}/webhooks/event-types)`);
  });
});

describe('the OpenAPI document', () => {
  const operationOf = (type: string): Json => described('webhooks', type, 'post');
  const contentOf = (type: string): Json => {
    const { content } = operationOf(type)['requestBody'] as { readonly content: Readonly<Record<string, Json>> };
    expect(Object.keys(content)).toEqual(['application/json']);
    return content['application/json'] ?? {};
  };

  test('has a webhook for every type, and no other', () => {
    expect(Object.keys(described('webhooks'))).toEqual(names);
    for (const type of names) expect(Object.keys(described('webhooks', type))).toEqual(['post']);
  });

  test.each(names)('shows %s with its schema and a body that it takes', (type) => {
    const { schema, example } = contentOf(type);
    expect({ schema, example }).toEqual({
      schema: eventTypes.find((each) => each.type === type)?.schema,
      example: expect.objectContaining({ type }),
    });
    expect(Compile(schema as Json).Errors(example)).toEqual([true, []]);
    expect(judgeWebhook(example as { readonly type: string })).toEqual([]);
  });

  test('says of each webhook what is sent with it and what to answer, by ids of their own', () => {
    const ids = names.map((type) => operationOf(type)['operationId']);
    const ofPaths = Object.values(described('paths') as Readonly<Record<string, Readonly<Record<string, Json>>>>).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set([...ids, ...ofPaths]).size).toBe(ids.length + ofPaths.length);
    const schemes = Object.keys(described('components', 'securitySchemes'));
    for (const type of names) {
      const { parameters, responses, security, tags } = operationOf(type) as {
        readonly parameters: readonly { readonly name: string; readonly in: string }[];
        readonly responses: Readonly<Record<string, { readonly description: string }>>;
        readonly security: readonly object[];
        readonly tags: readonly string[];
      };
      expect(parameters.filter((parameter) => parameter.in !== 'header')).toEqual([]);
      expect(parameters.map(({ name }) => name)).toEqual([
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
        'webhook-key-id',
        'traceparent',
      ]);
      expect(Object.keys(responses).every((code) => /^([1-5](\d\d|XX)|default)$/.test(code))).toBe(true);
      expect(Object.values(responses).every(({ description }) => description.length > 5)).toBe(true);
      expect(schemes).toEqual(expect.arrayContaining(security.flatMap((scheme) => Object.keys(scheme))));
      expect(tags).toEqual(['Webhooks']);
    }
  });
});
