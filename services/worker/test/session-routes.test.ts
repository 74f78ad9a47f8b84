import { foldVersion } from '@grantlog/domain';
import { readNarrowRoutes, readRoutes } from '@grantlog/postgres';
import { expect, test } from 'vitest';
import { clinic, createAgents } from './support/agents.ts';
import { useScene } from './support/scene.ts';
import { platform, until } from './support/world.ts';

const scene = useScene();

test('however many sessions strangers have begun, a batch reads the routes of those alone that it is about', async () => {
  const receiver = await scene.receiver();
  const agents = await createAgents(scene.world());
  const [one, other] = [await agents.begin({ url: receiver.url }), await agents.begin({ url: receiver.url })];
  await scene.worker();
  await until(async () => (await agents.isVerified(one.endpoint)) && (await agents.isVerified(other.endpoint)), Boolean);
  const client = await scene.world().pool.connect();
  try {
    expect((await readRoutes(client, { platform: clinic, foldVersion })).routes).toEqual([]);
    const read = await readNarrowRoutes(client, { platform: clinic, foldVersion, sessions: [one.session], grants: [] });
    expect(read.map(({ endpoint }) => endpoint)).toEqual([one.endpoint]);
    expect(await readNarrowRoutes(client, { platform: platform, foldVersion, sessions: [one.session], grants: [] })).toEqual([]);
  } finally {
    client.release();
  }
});
