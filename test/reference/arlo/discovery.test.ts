import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic, post } from '../../support/agent.ts';
import { eventually } from '../../support/eventually.ts';
import { createVisitor } from '../../support/visitor.ts';
import { type Arlo, callback, documentedScope, documentedState, resourcePath, startArlo } from './support/arlo.ts';
import { startFront } from './support/front.ts';

let arlo: Arlo;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
});
afterAll(() => arlo.stop());

const metadataOf = async (platform: string): Promise<Readonly<Record<string, unknown>>> =>
  (await arlo.ask(`${arlo.node()}/.well-known/oauth-authorization-server/${platform}`)).body;

describe('the metadata of the platform', () => {
  test('tells what it supports, and nothing else', async () => {
    expect(await metadataOf('arlo')).toMatchObject({
      issuer: arlo.issuer,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      scopes_supported: ['openid', 'profile', 'offline_access', 'read', 'write', 'all_claims', 'developer', 'account'],
    });
  });

  test('is the same for a platform of another name with the same document', async () => {
    const text = await readFile(join(import.meta.dirname, '..', '..', '..', 'infra', 'platforms', 'arlo.json'), 'utf8');
    const named = text.replaceAll('{issuer}', `${arlo.deployment.publicUrl}/kea`).replaceAll('{examples}', 'http://127.0.0.1:9');
    await arlo.bench.configure('kea', { ...(JSON.parse(named) as object), name: 'kea' });
    const renamed = (told: unknown): unknown =>
      JSON.parse(JSON.stringify(told).replaceAll('/arlo', '/kea').replaceAll('"arlo\\"', '"kea\\"'));
    expect(await metadataOf('kea')).toEqual(renamed(await metadataOf('arlo')));
    const answers = async (platform: string): Promise<readonly unknown[]> => {
      const at = (path: string): string => `${arlo.node()}/${platform}${path}`;
      const asked = [
        await arlo.ask(at('/oauth/userinfo'), { headers: { authorization: 'Bearer my_invalid_token' } }),
        await arlo.ask(at('/oauth/connect/token'), { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) }),
        await arlo.ask(at('/oauth/connect/accesstokenvalidation?token=x')),
        await arlo.ask(at('/account/security')),
      ];
      return asked.map(({ status, headers, body }) => ({ status, challenge: headers.get('www-authenticate'), body }));
    };
    expect(await answers('kea')).toEqual(renamed(await answers('arlo')));
  });

  test('leads protected resources to Basic validation and the dialect of its challenges, where they are switched on', async () => {
    expect(await metadataOf('arlo')).toMatchObject({
      basic_validation_endpoint: `${arlo.issuer}/oauth/basicvalidation`,
      challenge_compatibility: 'arlo',
    });
    const health = await metadataOf('arlo-health');
    expect(health).not.toHaveProperty('basic_validation_endpoint');
    expect(health).not.toHaveProperty('challenge_compatibility');
  });

  test('lists the resources that the server is itself, each with metadata of its own', async () => {
    const own = [`${arlo.issuer}/account`, `${arlo.issuer}/developer`];
    expect((await metadataOf('arlo'))['protected_resources']).toEqual([`${arlo.issuer}${resourcePath}`, ...own]);
    expect((await metadataOf('along'))['protected_resources']).not.toContain(`${arlo.deployment.publicUrl}/along/account`);
    for (const name of ['account', 'developer'])
      for (const url of [
        `${arlo.node()}/.well-known/oauth-protected-resource/arlo/${name}`,
        `${arlo.at('/.well-known/oauth-protected-resource')}/${name}`,
      ])
        expect(await arlo.ask(url)).toMatchObject({
          status: 200,
          body: { resource: `${arlo.issuer}/${name}`, authorization_servers: [arlo.issuer], scopes_supported: [name] },
        });
    expect((await arlo.ask(`${arlo.node()}/.well-known/oauth-protected-resource/along/account`)).status).toBe(404);
    expect((await arlo.ask(arlo.at('/.well-known/oauth-protected-resource'))).body['resource']).toBe(`${arlo.issuer}${resourcePath}`);
  });
});

test('the whole flow works in host form, where the platform has a host of its own', async () => {
  const [platform, host] = ['hosted', 'hosted.arlo.example'];
  const issuer = `https://${host}`;
  await arlo.bench.configure(platform, { issuer, hosts: [host], pkce: 'public_clients' });
  const account = await arlo.bench.account(platform);
  const client = await arlo.bench.client(platform, { redirectUris: [callback] });
  const authorization = basic(client);
  const front = await startFront({ host, target: arlo.node });
  try {
    const at = (path: string): string => `${front.url}${path}`;
    // Both processes read which hosts there are every five seconds; the front asks them in turn.
    await eventually('the host on both processes', async () => {
      const found = [await fetch(at('/.well-known/openid-configuration')), await fetch(at('/.well-known/openid-configuration'))];
      return found.every(({ status }) => status === 200) ? true : null;
    });
    const visitor = createVisitor(issuer);
    const query = new URLSearchParams({
      client_id: client.client_id,
      response_type: 'code',
      scope: 'openid profile offline_access read',
      redirect_uri: callback,
      state: documentedState,
    });
    const page = await visitor.open(at(`/oauth/connect/authorize?${query}`));
    const consent = await visitor.post(at('/sign-in'), { ...page.hidden, email: account.email, password: account.password });
    const { location } = await visitor.post(at('/consent'), { ...consent.hidden, decision: 'allow' });
    expect([location?.searchParams.get('iss'), location?.searchParams.get('state')]).toEqual([issuer, documentedState]);
    const form = { grant_type: 'authorization_code', code: location?.searchParams.get('code') ?? '', redirect_uri: callback };
    const { status, body } = await post(at('/oauth/connect/token'), form, { authorization });
    expect(status).toBe(200);
    const validation = at(`/oauth/connect/accesstokenvalidation?token=${String(body['access_token'])}`);
    expect((await fetch(validation)).status).toBe(200);
    expect((await post(at('/oauth/connect/revocation'), { token: String(body['refresh_token']) }, { authorization })).status).toBe(200);
    expect((await fetch(validation)).status).toBe(400);
    // It lives on its host alone, and its paths are not on the host of the others.
    expect((await arlo.ask(arlo.at('').replace('/arlo', `/${platform}/oauth/connect/authorize?${query}`))).status).toBe(404);
    expect((await arlo.ask(arlo.at('').replace('/arlo', `/oauth/connect/authorize?${query}`))).status).toBe(404);
  } finally {
    await front.stop();
  }
});

test('the documented scope is one that the platform has', async () => {
  expect((await metadataOf('arlo'))['scopes_supported']).toEqual(expect.arrayContaining(documentedScope.split(' ')));
});
