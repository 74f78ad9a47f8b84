import { changeClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { by, openRegistrations, type Registrations } from './support/registrations.ts';

let world: Registrations;
beforeAll(async () => {
  world = await openRegistrations(inject('databaseUrl'));
});
afterAll(() => world.close());

const app = { client_name: 'An app', redirect_uris: ['https://a.example/cb'], token_endpoint_auth_method: 'none' };
const end = async (clientId: string, reason?: 'unused'): Promise<void> => {
  const command = { type: 'delete', ...(reason === undefined ? {} : { reason }) } as const;
  await changeClient(world.deps.provisioning, by, { platform: world.home, clientId, command });
};

describe('an app that is not registered any more', () => {
  test('shows a person on a page what happened and how to go on, whatever its redirect URI', async () => {
    const { id } = await world.registered(app);
    await end(id, 'unused');
    const { status, headers, text } = await world.authorize(id);
    expect([status, headers['content-type'], headers.location]).toEqual([400, 'text/html; charset=utf-8', undefined]);
    expect(text).toContain('<h1>This app is not registered here any more</h1>');
    expect(text).toContain('nobody had ever connected with it');
    for (const way of ['add it again', 'Authentication: Remove Dynamic Authentication Providers', '.mcp-auth']) expect(text).toContain(way);
  });

  test('is told apart: never known, ended by an operator', async () => {
    const unknown = await world.authorize('never-heard-of');
    expect([unknown.status, unknown.headers.location]).toEqual([400, undefined]);
    expect(unknown.text).toContain('<h1>This app is not registered here</h1>');
    expect(unknown.text).not.toContain('never-heard-of');
    const { id } = await world.registered(app);
    await end(id);
    expect((await world.authorize(id)).text).toContain('The operator of this platform has deleted its registration');
  });

  test('is invalid_client with 401 at the token endpoint, which makes it register again, and the new one works', async () => {
    const { id } = await world.registered(app);
    const form = {
      grant_type: 'authorization_code',
      code: 'avo_cx',
      client_id: id,
      redirect_uri: 'https://a.example/cb',
      code_verifier: 'v'.repeat(43),
    };
    await end(id, 'unused');
    expect(await world.token(form)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
      headers: { 'content-type': 'application/json; charset=utf-8', 'www-authenticate': 'Basic realm="home"' },
    });
    expect((await world.registered(app)).id).not.toBe(id);
  });
});

describe('what is secret about a registration', () => {
  test('stands in no event', async () => {
    const client = await world.registered({ ...app, token_endpoint_auth_method: 'client_secret_post', contacts: ['somebody@example.com'] });
    const log = await world.everything();
    expect(log).toContain(client.id);
    for (const secret of [client.token, String(client.body['client_secret']), 'somebody@example.com']) expect(log).not.toContain(secret);
  });
});
