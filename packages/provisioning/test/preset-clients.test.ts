import { platformStream } from '@grantlog/domain';
import type { CommitId, PlatformId } from '@grantlog/eventsourcing';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { changeClient, configurePlatform, registerClient, rotateClientSecret } from '../src/index.ts';
import { by, createWorld, documentOf, openNode, platform, type World } from './support/world.ts';

const agent = {
  clientId: 'unidentified-agent',
  name: 'Unidentified agent',
  grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
};
const robot = { clientId: 'robot', name: 'Robot', type: 'confidential', redirectUris: ['https://robot.example/cb'] };
const withPresets = (...presetClients: readonly object[]) => documentOf({ presetClients });

const worlds: World[] = [];
let world: World;
beforeEach(async () => {
  world = await createWorld();
  worlds.push(world);
});
afterAll(async () => {
  await Promise.all(worlds.map((each) => each.close()));
});

const configure = async (...presetClients: readonly object[]) => configurePlatform(world, by, withPresets(...presetClients));
const change = async (clientId: string, command: Parameters<typeof changeClient>[2]['command']): Promise<void> => {
  expect(await changeClient(world, by, { platform, clientId, command })).toMatchObject({ changed: true });
};

describe('the preset clients of a platform document', () => {
  test('are registered when the platform is made, approved, and nobody’s', async () => {
    expect(await configure(agent)).toMatchObject({ kind: 'created' });
    expect(await world.client('unidentified-agent')).toMatchObject({
      status: 'active',
      how: 'preset',
      owner: null,
      approval: 'approved',
      kind: 'public',
      authMethods: ['none'],
      name: 'Unidentified agent',
      grantTypes: agent.grantTypes,
      redirectUris: [],
      scopes: null,
      secrets: [],
      serves: [],
      roles: [],
    });
  });

  test('stand at the position that the configuration answers', async () => {
    const configured = await configure(agent);
    const [registered] = await world.events((await world.names()).client('unidentified-agent'));
    expect(configured).toEqual({ kind: 'created', position: registered?.position });
    const again = await configure(agent, robot);
    const [later] = await world.events((await world.names()).client('robot'));
    expect(again).toEqual({ kind: 'configured', position: later?.position });
  });

  test('come to be in one commit with the document that lists them, where the platform stands already', async () => {
    await configure();
    await configure(agent, robot);
    const names = await world.names();
    const commits = await Promise.all(
      [platformStream, names.client('unidentified-agent'), names.client('robot')].map(
        async (id) => (await world.events(id)).at(-1)?.commitId,
      ),
    );
    expect(new Set(commits).size).toBe(1);
  });

  test('are recorded once, however often the same document is applied', async () => {
    await configure(agent, robot);
    const { position } = (await configure(agent, robot)) as { readonly position: number };
    expect(await configure(agent, robot)).toEqual({ kind: 'unchanged', position });
  });

  test('are registered for a document that stood before its clients did', async () => {
    await configure();
    const { version } = (await world.log.load(platform, [{ streamId: platformStream }])).stream(platformStream);
    // As a deployment has it whose documents were applied by a version that registered nothing.
    await world.log.append(platform, {
      commitId: crypto.randomUUID() as CommitId,
      writes: [
        { streamId: platformStream, expected: version, events: [{ type: 'platform.configured', data: { document: withPresets(agent) } }] },
      ],
      reads: [],
      ...by,
    });
    expect(await world.client('unidentified-agent')).toEqual({ status: 'none' });
    expect(await configure(agent)).toMatchObject({ kind: 'configured' });
    expect(await world.client('unidentified-agent')).toMatchObject({ status: 'active' });
  });

  test('follow what the document says of them, and keep what only an operator says', async () => {
    await configure(robot);
    await change('robot', { type: 'update', changes: { idTokenAlg: 'ES256', name: 'Renamed by hand' } });
    await configure({ ...robot, redirectUris: ['https://robot.example/new'], scopes: ['read'] });
    expect(await world.client('robot')).toMatchObject({
      name: 'Robot',
      redirectUris: ['https://robot.example/new'],
      scopes: ['read'],
      idTokenAlg: 'ES256',
    });
  });

  test('are disabled while the document does not list them, and enabled when it does again', async () => {
    await configure(agent, robot);
    await configure(robot);
    expect(await world.client('unidentified-agent')).toMatchObject({ status: 'disabled', reason: 'preset_removed' });
    expect(await world.client('robot')).toMatchObject({ status: 'active' });
    await configure(agent, robot);
    expect(await world.client('unidentified-agent')).toMatchObject({ status: 'active' });
  });

  test('that an operator has disabled or deleted stay so', async () => {
    await configure(agent, robot);
    await change('robot', { type: 'disable', reason: 'abuse' });
    await change('unidentified-agent', { type: 'delete' });
    await configure();
    expect(await configure(robot)).toMatchObject({ kind: 'configured' });
    expect(await world.client('robot')).toMatchObject({ status: 'disabled', reason: 'abuse' });
    expect(await configure(agent, robot)).toEqual({
      kind: 'refused',
      refusal: 'preset_client_deleted',
      clientId: 'unidentified-agent',
    });
  });

  test('that were deleted do not keep the document from being applied again as it stands, or changed elsewhere', async () => {
    await configure(agent, robot);
    await change('robot', { type: 'delete' });
    expect(await configure(agent, robot)).toMatchObject({ kind: 'unchanged' });
    expect(await configure(agent, robot, { ...agent, clientId: 'another' })).toMatchObject({ kind: 'configured' });
    expect(await world.client('robot')).toMatchObject({ status: 'deleted' });
  });

  test('take nobody’s client: a document that lists a client registered otherwise is refused whole', async () => {
    await configure();
    const registered = await registerClient(world, by, {
      platform,
      clientId: 'robot',
      name: 'A developer’s robot',
      redirectUris: ['https://dev.example/cb'],
      grantTypes: ['authorization_code'],
      scopes: null,
      idTokenAlg: null,
      serves: [],
      roles: [],
      kind: 'confidential',
      how: 'portal',
      authMethods: null,
      approval: 'pending',
      secret: null,
    });
    expect(registered.kind).toBe('registered');
    expect(await configure(agent, robot)).toEqual({ kind: 'refused', refusal: 'preset_client_taken', clientId: 'robot' });
    expect(await world.client('robot')).toMatchObject({ name: 'A developer’s robot', approval: 'pending' });
    expect(await world.client('unidentified-agent')).toEqual({ status: 'none' });
    expect(await world.events(platformStream)).toHaveLength(1);
  });

  test('keep their type', async () => {
    await configure(robot);
    expect(await configure({ ...robot, type: 'public' })).toEqual({
      kind: 'refused',
      refusal: 'preset_client_kind_changed',
      clientId: 'robot',
    });
  });

  test('have, where confidential, a first secret that nobody was told, and one to be shown by rotation', async () => {
    await configure(robot);
    const client = await world.client('robot');
    expect(client).toMatchObject({ kind: 'confidential', authMethods: ['client_secret_basic', 'client_secret_post'] });
    expect(client.status === 'active' ? client.secrets : []).toHaveLength(1);
    expect(await rotateClientSecret(world, by, { platform, clientId: 'robot', overlapSeconds: 0, secret: null })).toMatchObject({
      secret: expect.any(String),
    });
    const secrets = async () =>
      (await world.pool.query("select count(*)::int as count from credential where kind = 'client_secret_digest'")).rows;
    const before = await secrets();
    await configure(robot);
    expect(await secrets()).toEqual(before);
  });

  test('are registered once by many who configure at once, each with another document', async () => {
    const nodes = [world, openNode(world.url)] as const;
    const settled = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        configurePlatform(nodes[index % 2 === 0 ? 0 : 1], by, withPresets(agent, { ...robot, clientId: `robot-${index % 3}` })),
      ),
    );
    await nodes[1].close();
    expect(settled.filter(({ kind }) => kind === 'created')).toHaveLength(1);
    expect(settled.filter(({ kind }) => kind === 'refused')).toEqual([]);
    const types = async (clientId: string) => (await world.events((await world.names()).client(clientId))).map(({ type }) => type);
    expect(await types('unidentified-agent')).toEqual(['client.registered']);
    const robots = await Promise.all([0, 1, 2].map((index) => world.client(`robot-${index}`)));
    // The last document won: its robot is active, and those of the others are not.
    expect(robots.map(({ status }) => status).sort()).toEqual(['active', 'disabled', 'disabled']);
    const firsts = await Promise.all([0, 1, 2].map((index) => types(`robot-${index}`)));
    expect(firsts.map((each) => each.filter((type) => type === 'client.registered').length)).toEqual([1, 1, 1]);
  });

  test('of one platform are nobody on another', async () => {
    await configure(agent);
    const other = 'practice' as PlatformId;
    await configurePlatform(world, by, documentOf({ name: other }));
    const here = (await world.names()).client('unidentified-agent');
    const there = (await world.names(other)).client('unidentified-agent');
    expect(there).not.toBe(here);
    expect(await world.events(there, other)).toEqual([]);
    expect(await world.events(here, other)).toEqual([]);
  });
});
