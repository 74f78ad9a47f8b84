import type { SessionId } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeEndpoint, configurePlatform, putSessionWebhook } from '../src/index.ts';
import { client, link, startSession } from './support/sessions.ts';
import { by, createWorld, documentOf, platform, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await configurePlatform(world, by, documentOf());
});
afterAll(() => world.close());

const url = 'https://agent.example/hooks';

/** The webhook of a linked session, with all that its agent has given for this receiver alone. */
const placed = async (session: SessionId) => {
  const put = await putSessionWebhook(world, by, {
    platform,
    names: await world.names(),
    session,
    client,
    sessionKey: null,
    url,
    webhookToken: 'a-token-for-this-receiver-alone',
    deliveryContext: { to: '+15551234567' },
    conversationSessionKey: null,
    signature: 'v1',
    isDevelopment: false,
  });
  if ('refusal' in put) throw new Error(put.refusal);
  return put.endpoint;
};

test('no operator leads the token and the context of an agent to another receiver, and any may stop it', async () => {
  const session = await startSession(world);
  await link(world, session);
  const endpoint = await placed(session);
  const change = (command: Parameters<typeof changeEndpoint>[2]['command']) =>
    changeEndpoint(world, by, { platform, endpoint, manager: { kind: 'operator' }, command, isDevelopment: false });
  const state = async () => fold(webhookEndpointDecider, (await world.log.load(platform, [{ streamId: endpoint }])).stream(endpoint));

  expect(await change({ type: 'update', changes: { url: 'https://operator.example/hooks' } })).toEqual({ refusal: 'endpoint_of_session' });
  expect(await state()).toMatchObject({ status: 'active', url });
  expect(await change({ type: 'update', changes: { url, concurrency: 2 } })).not.toHaveProperty('refusal');
  expect(await change({ type: 'disable' })).not.toHaveProperty('refusal');
  expect(await state()).toMatchObject({ status: 'disabled', url, concurrency: 2 });
});
