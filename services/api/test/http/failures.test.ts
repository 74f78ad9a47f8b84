import { OAuthError } from '@grantlog/protocol';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { answerErrors } from '../../src/http/error-response.ts';
import { createWorld, type World } from '../management/support/world.ts';

describe('a route that fails', () => {
  const config = { authentication: 'none' } as const;
  let app: FastifyInstance;
  beforeAll(() => {
    app = fastify({ handlerTimeout: 20 });
    answerErrors(app, { config: { isDevelopment: true } } as never);
    app.get('/slow', { config }, () => new Promise(() => {}));
    app.get('/busy', { config }, async () => {
      throw Object.assign(new Error('secret words'), { statusCode: 503 });
    });
    app.get('/broken', { config }, async () => {
      throw Object.assign(new Error('secret words'), { statusCode: 502 });
    });
    app.get('/suspended', { config }, async () => {
      throw new OAuthError('temporarily_unavailable', { description: 'Suspended' });
    });
    app.get('/later', { config }, async () => {
      throw new OAuthError('temporarily_unavailable', { description: 'Later', headers: { 'retry-after': '9' } });
    });
    app.get('/refused', { config }, async () => {
      throw new OAuthError('invalid_request', { description: 'No' });
    });
  });
  afterAll(() => app.close());

  test.each([
    ['/slow', 503, 'temporarily_unavailable', '1'],
    ['/busy', 503, 'temporarily_unavailable', '1'],
    ['/broken', 500, 'server_error', undefined],
    ['/suspended', 503, 'temporarily_unavailable', '1'],
    ['/later', 503, 'temporarily_unavailable', '9'],
    ['/refused', 400, 'invalid_request', undefined],
  ])('%s answers %i %s and says after how many seconds to try again: %s', async (url, status, error, retryAfter) => {
    const response = await app.inject(url);
    expect(response.json()).toMatchObject({ error });
    expect([response.statusCode, response.headers['retry-after']]).toEqual([status, retryAfter]);
    expect(response.body).not.toContain('secret words');
  });
});

describe('a path that the router cannot read', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(inject('databaseUrl'));
  });
  afterAll(() => world.close());

  test.each([
    ['a broken escape', '/arlo/%zz/canary'],
    ['an escape of no text', '/canary/%ff/oauth/token'],
    ['a broken escape where no route is', '/canary/a/b/c/d/%'],
    ['a segment of 600 characters', `/.well-known/oauth-authorization-server/${'canary'.repeat(100)}`],
  ])('is refused as every request is, and not repeated: %s', async (_, url) => {
    const response = await world.app.inject(url);
    expect(response.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) });
    expect(response.statusCode).toBe(400);
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' });
    expect(response.body).not.toContain('canary');
  });
});
