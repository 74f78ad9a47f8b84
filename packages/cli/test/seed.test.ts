import { join } from 'node:path';
import { accountDecider, clientDecider, platformDecider, platformStream } from '@grantlog/domain';
import { fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { createDatabase, migrate } from '@grantlog/postgres';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type Demo, openProvisioning, seed } from '../src/index.ts';
import { writeDemo } from '../src/seed/demo-file.ts';
import { temporaryFolder } from './support/temporary.ts';

const arlo = 'arlo' as PlatformId;
const secret = 'a-secret-of-the-test-run-long-enough';
let connectionString: string;
beforeAll(async () => {
  connectionString = await createDatabase({
    connectionString: inject('databaseUrl'),
    name: `seed_${crypto.randomUUID().replaceAll('-', '')}`,
  });
  await migrate({ connectionString });
});

const start = (dataDir: string, change: { readonly publicUrl?: string; readonly examplesUrl?: string } = {}): Promise<Demo> =>
  seed({ connectionString, secret, dataDir, publicUrl: 'http://localhost:4000', examplesUrl: 'http://127.0.0.1:4003', ...change });

describe('the seed of Arlo', () => {
  test('makes a presenter, a client that serves the API, and one for developers’ tools', async () => {
    const { presenter, resourceServer, resource } = (await start(await temporaryFolder())).platforms['arlo'] ?? {};
    expect(resource).toBe('http://localhost:4000/arlo/api/2012-02-01/auth/resources');
    const context = openProvisioning({ connectionString, secrets: [secret] });
    onTestFinished(() => context.close());
    const names = await context.directory.open(arlo);
    if (names === null) throw new Error('arlo is not there');
    const load = async (stream: StreamId) => (await context.log.load(arlo, [{ streamId: stream }])).stream(stream);
    expect(fold(accountDecider, await load(presenter?.sub as StreamId))).toMatchObject({
      status: 'active',
      emailName: names.email('presenter@arlo.example'),
      roles: ['api_user', 'presenter'],
    });
    expect(fold(clientDecider, await load(names.client('arlo-resources')))).toMatchObject({
      kind: 'confidential',
      redirectUris: [],
      grantTypes: ['refresh_token'],
      serves: [resource],
    });
    expect(resourceServer?.client_id).toBe('arlo-resources');
    expect(fold(clientDecider, await load(names.client('arlo-developer')))).toMatchObject({
      kind: 'public',
      redirectUris: ['http://127.0.0.1:8765/callback'],
      scopes: ['openid', 'profile', 'developer', 'account', 'offline_access'],
      serves: [],
    });
  });

  test('keeps its credentials, follows where the server and the examples are, and fills an older file in', async () => {
    const dataDir = await temporaryFolder();
    const path = join(dataDir, 'demo.json');
    const first = await start(dataDir);
    await writeDemo(path, first);
    expect(await start(dataDir)).toEqual(first);

    const moved = await start(dataDir, { publicUrl: 'http://localhost:5000', examplesUrl: 'http://127.0.0.1:5003' });
    const { presenter, resourceServer, ...older } = first.platforms['arlo'] ?? ({} as never);
    expect(moved.platforms['arlo']).toMatchObject({
      presenter,
      resourceServer,
      resource: 'http://localhost:5000/arlo/api/2012-02-01/auth/resources',
    });
    const context = openProvisioning({ connectionString, secrets: [secret] });
    onTestFinished(() => context.close());
    const state = fold(platformDecider, (await context.log.load(arlo, [{ streamId: platformStream }])).stream(platformStream));
    const names = await context.directory.open(arlo);
    const server = names?.client('arlo-resources') as StreamId;
    expect(fold(clientDecider, (await context.log.load(arlo, [{ streamId: server }])).stream(server))).toMatchObject({
      serves: [moved.platforms['arlo']?.resource],
    });
    expect(state).toMatchObject({ document: { resources: [{ upstream: 'http://127.0.0.1:5003/arlo' }] } });

    const { resource: _, ...oldest } = older;
    await writeDemo(path, { ...first, platforms: { ...first.platforms, arlo: oldest } });
    const filled = (await start(dataDir)).platforms['arlo'];
    expect(filled?.account).toEqual(oldest.account);
    expect(filled?.presenter).toMatchObject({ email: presenter?.email, sub: presenter?.sub });
    expect(filled?.presenter?.password).not.toBe(presenter?.password);
    expect(filled?.resourceServer?.client_secret).toMatch(/.{20}/);
  });
});

test('the seed of Arlo Health makes the client that an agent without one is, which anybody may be', async () => {
  await start(await temporaryFolder());
  const context = openProvisioning({ connectionString, secrets: [secret] });
  onTestFinished(() => context.close());
  const platform = 'arlo-health' as PlatformId;
  const names = await context.directory.open(platform);
  const agent = names?.client('unidentified-agent') as StreamId;
  expect(fold(clientDecider, (await context.log.load(platform, [{ streamId: agent }])).stream(agent))).toMatchObject({
    status: 'active',
    approval: 'approved',
    kind: 'public',
    how: 'preset',
    name: 'Unidentified agent',
    grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    redirectUris: [],
  });
});
