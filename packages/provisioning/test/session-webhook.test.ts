import { parseWebhookSecret, randomToken } from '@grantlog/crypto';
import type { EndpointId, SessionId } from '@grantlog/domain';
import { platformStream, validSecrets, webhookEndpointDecider } from '@grantlog/domain';
import { execute, fold } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  commitOn,
  configurePlatform,
  eraseAccount,
  listSessionWebhooks,
  newSessionWebhook,
  type Provisioning,
  putSessionWebhook,
  readWebhookEcho,
  registerAccount,
  revokeSession,
  type SessionWebhookRequest,
} from '../src/index.ts';
import { client, link, startSession } from './support/sessions.ts';
import { by, createWorld, documentOf, openNode, platform, type World } from './support/world.ts';

let world: World;
let second: ReturnType<typeof openNode>;
beforeAll(async () => {
  world = await createWorld();
  second = openNode(world.url);
  await configurePlatform(world, by, documentOf());
});
afterAll(async () => {
  await second.close();
  await world.close();
});

const url = 'https://agent.example/hooks/clinic?key=of-the-receiver';
const deliveryContext = { to: '+15551234567', channel: 'whatsapp', deliver: true };

const request = async (session: SessionId, change: Partial<SessionWebhookRequest> = {}): Promise<SessionWebhookRequest> => ({
  platform,
  names: await world.names(),
  session,
  client,
  sessionKey: null,
  url,
  webhookToken: null,
  deliveryContext: null,
  conversationSessionKey: null,
  signature: 'v1',
  isDevelopment: false,
  ...change,
});
const put = async (session: SessionId, change: Partial<SessionWebhookRequest> = {}, node: Provisioning = world) =>
  putSessionWebhook(node, by, await request(session, change));
const placed = async (session: SessionId, change: Partial<SessionWebhookRequest> = {}) => {
  const done = await put(session, change);
  if ('refusal' in done) throw new Error(done.refusal);
  return done;
};

/** A session that begins with a webhook, as an agent's sign-up does. */
const begin = async (change: Partial<SessionWebhookRequest> = {}) => {
  const session = await startSession(world);
  const prepared = await newSessionWebhook(world, await request(session, change));
  await execute({
    log: world.log,
    platform,
    requests: [{ streamId: session }, { streamId: prepared.endpoint }, { streamId: platformStream }],
    decide: (loaded) => {
      const write = prepared.write(loaded);
      if ('refusal' in write) throw new Error(write.refusal);
      const named = { type: 'session.webhook_registered', data: { endpoint: prepared.endpoint } };
      return { commit: commitOn(loaded, by, { writes: [{ streamId: session, events: [named] }, write] }), outcome: null };
    },
  });
  return { session, ...prepared };
};
const linked = async (): Promise<SessionId> => {
  const session = await startSession(world);
  await link(world, session);
  return session;
};

const stateOf = async (endpoint: EndpointId) => {
  const loaded = await world.log.load(platform, [{ streamId: endpoint, withSecrets: true }]);
  const stream = loaded.stream(endpoint);
  const state = fold(webhookEndpointDecider, stream);
  if (state.status !== 'active' && state.status !== 'disabled') throw new Error(`${endpoint} is ${state.status}`);
  return { state, echo: readWebhookEcho(world.sealer, { platform, endpoint, wrappedKey: stream.dataKey, personal: state.personal }) };
};
const list = (session: SessionId, endpoints: readonly EndpointId[]) => listSessionWebhooks(world, { platform, session, endpoints });
const typesOf = async (endpoint: EndpointId) => (await world.events(endpoint)).map(({ type }) => type);

describe('a session that begins with a webhook', () => {
  const webhookToken = `token-${randomToken(16)}`;

  test('has it under a key of its own, its context and its token sealed, and shows no secret again', async () => {
    const { session, endpoint, sessionKey, shown } = await begin({ webhookToken, deliveryContext, conversationSessionKey: 'conv_1' });
    expect(sessionKey).toMatch(/^session_[\w-]{16}$/);
    if (shown.signature !== 'v1') throw new Error('asked for v1');
    expect(parseWebhookSecret(shown.secret)?.scheme).toBe('v1');
    expect((await stateOf(endpoint)).echo).toEqual({ sessionKey, deliveryContext, conversationSessionKey: 'conv_1' });
    const [webhook] = await list(session, [endpoint]);
    expect(webhook).toEqual({
      endpoint,
      sessionKey,
      url: 'https://agent.example/hooks/clinic?…',
      status: 'active',
      verified: false,
      hasSecret: true,
      hasDeliveryContext: true,
      conversationSessionKey: 'conv_1',
      registeredAt: expect.any(Number),
    });
    const [event] = await world.events(endpoint);
    const told = JSON.stringify({ event, webhook });
    for (const secret of [webhookToken, '5551234567', 'whatsapp', shown.secret]) expect(told).not.toContain(secret);
  });

  test('shows the public key where it is to be signed with Ed25519', async () => {
    const { shown } = await begin({ signature: 'v1a' });
    if (shown.signature !== 'v1a') throw new Error('asked for v1a');
    expect(parseWebhookSecret(shown.publicKey)).toMatchObject({ scheme: 'v1a', half: 'public' });
  });

  test('shows another session nothing of it', async () => {
    const { endpoint } = await begin();
    expect(await list(await startSession(world), [endpoint])).toEqual([]);
  });

  test('is refused a URL that only a platform in development may have', async () => {
    const prepared = await newSessionWebhook(world, await request(await startSession(world), { url: 'http://127.0.0.1:9/hook' }));
    const loaded = await world.log.load(platform, [{ streamId: prepared.endpoint }, { streamId: platformStream }]);
    expect(prepared.write(loaded)).toEqual({ refusal: 'url_insecure' });
  });
});

describe('a webhook that is put', () => {
  test('is registered once, and asking again changes nothing and shows no secret', async () => {
    const session = await linked();
    const first = await placed(session, { webhookToken: 'token-one', deliveryContext });
    expect(first).toMatchObject({ created: true, shown: { signature: 'v1' } });
    const again = await placed(session, { webhookToken: 'token-one', deliveryContext });
    expect(again).toMatchObject({ endpoint: first.endpoint, created: false, shown: null });
    expect(await typesOf(first.endpoint)).toEqual(['webhook_endpoint.registered']);
    expect((await world.events(session)).map(({ type }) => type)).toEqual([
      'session.started',
      'session.linked',
      'session.webhook_registered',
    ]);
  });

  test('of a session that began with one is that one, where no other key is named', async () => {
    const { session, endpoint } = await begin({ webhookToken: 'token-one', deliveryContext });
    await link(world, session);
    expect(await placed(session, { conversationSessionKey: 'conv_2' })).toMatchObject({ endpoint, created: false });
    expect(await placed(session, { sessionKey: 'second' })).toMatchObject({ created: true, sessionKey: 'second' });
    // What was not named again is as it was.
    const [webhook] = await list(session, [endpoint]);
    expect(webhook).toMatchObject({ hasSecret: true, hasDeliveryContext: true, conversationSessionKey: 'conv_2' });
  });

  test('sends another URL nothing that was given for the one before', async () => {
    const session = await linked();
    const { endpoint } = await placed(session, { webhookToken: 'token-one', deliveryContext, conversationSessionKey: 'conv_1' });
    await placed(session, { webhookToken: 'token-two' });
    const other = 'https://other.example/hooks';
    expect(await put(session, { url: other })).toEqual({ refusal: 'webhook_token_missing' });
    await placed(session, { url: other, webhookToken: 'token-two' });
    const { state, echo } = await stateOf(endpoint);
    expect([state.url, state.verified, echo?.deliveryContext, echo?.conversationSessionKey]).toEqual([other, false, null, null]);
    expect(state.hasDeliveryContext).toBe(false);
    expect(validSecrets(state.bearers, Date.now() / 1000 + 1)).toHaveLength(1);
  });

  test('takes another token, context and conversation, and keeps the previous token for a day', async () => {
    const session = await linked();
    const { endpoint, sessionKey } = await placed(session, { webhookToken: 'token-one', deliveryContext });
    await placed(session, { webhookToken: 'token-two', deliveryContext: { to: 'mailto:a@b.example' }, conversationSessionKey: 'conv_2' });
    expect(await typesOf(endpoint)).toEqual([
      'webhook_endpoint.registered',
      'webhook_endpoint.bearer_rotated',
      'webhook_endpoint.context_set',
    ]);
    const { state, echo } = await stateOf(endpoint);
    expect(echo).toEqual({ sessionKey, deliveryContext: { to: 'mailto:a@b.example' }, conversationSessionKey: 'conv_2' });
    const [newest, previous] = state.bearers;
    expect(newest?.validUntil).toBeNull();
    expect((previous?.validUntil ?? 0) - Date.now() / 1000).toBeGreaterThan(86_300);
    expect((previous?.validUntil ?? 0) - Date.now() / 1000).toBeLessThan(86_500);
  });

  test('is spoken to again where it had failed, and not where an operator stopped it', async () => {
    const session = await linked();
    const stop = async (endpoint: EndpointId, reason: string) => {
      const decide = (loaded: Parameters<typeof commitOn>[0]) => ({
        commit: commitOn(loaded, by, {
          writes: [{ streamId: endpoint, events: [{ type: 'webhook_endpoint.disabled', data: { reason } }] }],
        }),
        outcome: null,
      });
      await execute({ log: world.log, platform, requests: [{ streamId: endpoint }], decide });
    };
    const { endpoint: gone } = await placed(session, { sessionKey: 'gone' });
    const { endpoint: stopped } = await placed(session, { sessionKey: 'stopped' });
    await stop(gone, 'gone');
    await stop(stopped, 'operator');
    await placed(session, { sessionKey: 'gone', url: 'https://new.example/' });
    await placed(session, { sessionKey: 'stopped', url: 'https://new.example/' });
    expect((await list(session, [gone, stopped])).map(({ status, url }) => [status, url])).toEqual([
      ['active', 'https://new.example/'],
      ['disabled', 'https://new.example/'],
    ]);
  });

  test('is one and the same however often and wherever it is asked for at once', async () => {
    const session = await linked();
    const asked = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        put(session, { webhookToken: 'token-one', deliveryContext }, index % 2 === 0 ? world : second),
      ),
    );
    const endpoints = new Set(asked.map((each) => ('refusal' in each ? each.refusal : each.endpoint)));
    expect(endpoints.size).toBe(1);
    expect(asked.filter((each) => 'shown' in each && each.shown !== null)).toHaveLength(1);
    const [endpoint] = endpoints as ReadonlySet<EndpointId>;
    if (endpoint === undefined) throw new Error('nothing was put');
    expect(await typesOf(endpoint)).toEqual(['webhook_endpoint.registered']);
  });

  test.each([
    ['a token that no header can carry', { webhookToken: 'two words' }, 'webhook_token_invalid'],
    ['an empty token', { webhookToken: '' }, 'webhook_token_invalid'],
    ['a key that is too long', { sessionKey: 'k'.repeat(257) }, 'session_key_invalid'],
    ['a conversation key that is too long', { conversationSessionKey: 'k'.repeat(257) }, 'conversation_session_key_invalid'],
    ['a context of more than 4 KiB', { deliveryContext: { note: 'x'.repeat(4_096) } }, 'delivery_context_too_large'],
    ['a URL on loopback', { url: 'https://localhost/hook' }, 'url_insecure'],
    ['a URL with a password', { url: 'https://a:b@agent.example/' }, 'url_with_credentials'],
  ] as const)('is refused with %s', async (_, change, refusal) => {
    expect(await put(await linked(), change)).toEqual({ refusal });
  });

  test('is refused where a session has ten', async () => {
    const session = await linked();
    for (let index = 0; index < 10; index += 1) await placed(session, { sessionKey: `key-${index}` });
    expect(await put(session, { sessionKey: 'key-10' })).toEqual({ refusal: 'too_many_webhooks' });
    expect(await put(session, { sessionKey: 'key-9', url: 'https://new.example/' })).toMatchObject({ created: false });
  });

  test('is refused to a session that nobody is linked to, that has ended, or whose person was erased', async () => {
    const pending = await startSession(world);
    expect(await put(pending)).toEqual({ refusal: 'unknown_session' });

    const ended = await linked();
    await revokeSession(world, by, { platform, session: ended, reason: 'by_operator' });
    expect(await put(ended)).toEqual({ refusal: 'unknown_session' });

    const person = { platform, email: 'leaving@clinic.example', displayName: 'L', password: 'a long enough password', roles: [] };
    const registered = await registerAccount(world, by, person);
    if (registered.kind !== 'registered') throw new Error(registered.refusal);
    const erased = await startSession(world);
    await link(world, erased, registered.account);
    expect(await put(erased, { sessionKey: 'before' })).toMatchObject({ created: true });
    await eraseAccount(world, by, { platform, account: registered.account });
    expect(await put(erased, { sessionKey: 'after', deliveryContext })).toEqual({ refusal: 'unknown_session' });
  });
});
