import { systemPlatform } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const keysOf = (platform: string): string => `/${platform}/manage/keys`;

describe('an operator', () => {
  test('with the role for every platform manages each of them, the system platform included', async () => {
    const token = await world.operator('operator');
    for (const platform of [world.arlo, world.along, systemPlatform])
      expect((await world.call(token, 'GET', keysOf(platform))).status).toBe(200);
  });

  test('with the role for one platform manages that one alone', async () => {
    const token = await world.operator('operator:arlo');
    expect((await world.call(token, 'GET', keysOf('arlo'))).status).toBe(200);
    const refused = await world.call(token, 'GET', keysOf('along'));
    expect(refused.status).toBe(403);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect(refused.body).toMatchObject({ code: 'role_required', role: 'operator:along' });
    expect(await world.call(token, 'GET', keysOf('system'))).toMatchObject({ status: 403, body: { role: 'operator' } });
  });

  test('cannot learn from a refusal which platforms exist', async () => {
    const token = await world.operator('operator:arlo');
    const [existing, missing] = await Promise.all([world.call(token, 'GET', keysOf('along')), world.call(token, 'GET', keysOf('nowhere'))]);
    expect(existing.text.replaceAll('along', 'nowhere')).toBe(missing.text);
  });

  test('of every platform is told that a platform is not there', async () => {
    const token = await world.operator('operator');
    for (const name of ['nowhere', 'NOT-A-NAME']) {
      expect(await world.call(token, 'GET', keysOf(name))).toMatchObject({ status: 404, body: { code: 'unknown_platform' } });
    }
  });

  test('who is a person acts with the roles of the account, not with those of the client', async () => {
    const powerful = await world.machine(['operator']);
    const powerless = await world.machine([]);
    const nobody = await world.account(systemPlatform);
    const somebody = await world.account(systemPlatform, ['operator:arlo']);
    const throughPowerful = await world.grant({
      platform: systemPlatform,
      client: powerful.stream,
      clientId: powerful.clientId,
      account: nobody.id,
    });
    const throughPowerless = await world.grant({
      platform: systemPlatform,
      client: powerless.stream,
      clientId: powerless.clientId,
      account: somebody.id,
    });
    expect((await world.call(throughPowerful.accessToken, 'GET', keysOf('arlo'))).status).toBe(403);
    expect((await world.call(throughPowerless.accessToken, 'GET', keysOf('arlo'))).status).toBe(200);
  });

  test('who is disabled is refused at the next request', async () => {
    const root = await world.operator('operator');
    const person = await world.account(systemPlatform, ['operator']);
    const client = await world.machine([]);
    const { accessToken } = await world.grant({
      platform: systemPlatform,
      client: client.stream,
      clientId: client.clientId,
      account: person.id,
    });
    expect((await world.call(accessToken, 'GET', keysOf('arlo'))).status).toBe(200);
    expect((await world.call(root, 'POST', `/system/manage/accounts/${person.id}/disable`)).status).toBe(200);
    expect((await world.call(accessToken, 'GET', keysOf('arlo'))).status).toBe(401);
    const machine = await world.machine(['operator']);
    const token = await machine.token({ scope: 'manage' });
    expect((await world.call(root, 'POST', `/system/manage/clients/${machine.clientId}/disable`)).status).toBe(200);
    expect((await world.call(token, 'GET', keysOf('arlo'))).status).toBe(401);
  });

  test('who loses a role loses it at the next request', async () => {
    const root = await world.operator('operator');
    const machine = await world.machine(['operator']);
    const token = await machine.token({ scope: 'manage' });
    await world.call(root, 'PATCH', `/system/manage/clients/${machine.clientId}`, { roles: ['operator:along'] });
    expect((await world.call(token, 'GET', keysOf('arlo'))).status).toBe(403);
    expect((await world.call(token, 'GET', keysOf('along'))).status).toBe(200);
  });
});

describe('what is no token of an operator', () => {
  const challenge = (answer: { readonly headers: Readonly<Record<string, unknown>> }) => String(answer.headers['www-authenticate']);

  test('no token at all gets 401 and a Bearer challenge without an error', async () => {
    const answer = await world.call(null, 'GET', keysOf('arlo'));
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(challenge(answer)).toBe('Bearer realm="system", scope="manage"');
  });

  test('a malformed, an unknown and a refresh token get 401 invalid_token', async () => {
    const client = await world.machine([]);
    const person = await world.account(systemPlatform, ['operator']);
    const { refreshToken } = await world.grant({
      platform: systemPlatform,
      client: client.stream,
      clientId: client.clientId,
      account: person.id,
    });
    for (const token of ['nonsense', 'sp ace', refreshToken]) {
      const answer = await world.call(token, 'GET', keysOf('arlo'));
      expect(answer.status).toBe(401);
      expect(challenge(answer)).toContain('error="invalid_token"');
    }
  });

  test('a token without the scope manage gets 403 insufficient_scope', async () => {
    const token = await (await world.machine(['operator'])).token({ scope: 'audit' });
    const answer = await world.call(token, 'GET', keysOf('arlo'));
    expect(answer.status).toBe(403);
    expect(challenge(answer)).toContain('error="insufficient_scope"');
  });

  test('a token bound to another resource gets 401, one bound to the management API is good', async () => {
    const machine = await world.machine(['operator']);
    const elsewhere = await machine.token({ scope: 'manage', resource: 'https://elsewhere.example' });
    expect((await world.call(elsewhere, 'GET', keysOf('arlo'))).status).toBe(401);
    const here = await machine.token({ scope: 'manage', resource: 'http://localhost:4000/system/manage' });
    expect((await world.call(here, 'GET', keysOf('arlo'))).status).toBe(200);
  });

  test("a tenant's own token gets 401 on its own platform, whatever roles and scopes the tenant gives it", async () => {
    const scopes = [{ name: 'manage', description: 'Not what it seems' }];
    const root = await world.operator('operator');
    const document = {
      name: 'mimic',
      displayName: 'Mimic',
      scopes,
      roles: ['operator'],
      tokens: { prefix: 'system' },
      grantTypes: ['client_credentials'],
    };
    expect((await world.call(root, 'PUT', '/system/manage/platforms/mimic', document)).status).toBe(201);
    const machine = await world.machine(['operator'], { platform: 'mimic' as PlatformId });
    const token = await machine.token({ scope: 'manage' });
    expect((await world.call(token, 'GET', keysOf('mimic'))).status).toBe(401);
    expect((await world.call(token, 'GET', keysOf('system'))).status).toBe(401);
  });
});

test('every route for operators answers 401 without a token, before it reads the body', async () => {
  const routes: { method: string; url: string }[] = [];
  for (const [path, operations] of Object.entries(
    (await world.call(null, 'GET', '/openapi.json')).body['paths'] as Record<string, Record<string, { security?: object[] }>>,
  )) {
    for (const [method, { security }] of Object.entries(operations)) {
      if (JSON.stringify(security ?? []).includes('operator')) routes.push({ method, url: path.replaceAll(/\{\w+\}/g, 'arlo') });
    }
  }
  expect(routes.length).toBeGreaterThan(35);
  for (const { method, url } of routes) {
    const response = await world.app.inject({
      method: method.toUpperCase() as 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      payload: '{ not json',
    });
    expect([method, url, response.statusCode]).toEqual([method, url, 401]);
  }
});
