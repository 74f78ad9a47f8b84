import { parseWebhookSecret } from '@grantlog/crypto';
import { webhookEndpointDecider } from '@grantlog/domain';
import { fold, type StreamId } from '@grantlog/eventsourcing';
import { openCredential } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { endpoints, registerEndpoint } from './support/register-endpoint.ts';
import { createWorld, tenantJson, type World } from './support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const register = (more: object = {}) => registerEndpoint(world, root, more);
/** The secrets of an endpoint as the worker opens them, newest first. */
const kept = async (id: string): Promise<readonly string[]> => {
  const owner = id as StreamId;
  const stream = (await world.deps.log.load(world.arlo, [{ streamId: owner, withSecrets: true }])).stream(owner);
  const state = fold(webhookEndpointDecider, stream);
  if (state.status !== 'active') throw new Error(state.status);
  return state.secrets.map(({ credentialId }) =>
    new TextDecoder().decode(
      openCredential(world.deps.sealer, {
        platform: world.arlo,
        owner,
        kind: 'webhook_secret',
        id: credentialId,
        credentials: stream.credentials,
      }),
    ),
  );
};

test('an endpoint with shared secrets shows its secret once, the one that deliveries are signed with', async () => {
  const endpoint = await register();
  expect(endpoint.body).toMatchObject({ signature: 'v1', secret: expect.stringMatching(/^whsec_/) });
  expect(await kept(endpoint.id)).toEqual([endpoint.body['secret']]);
  const read = await world.call(root, 'GET', endpoint.at);
  expect(read.body).toMatchObject({
    endpointId: endpoint.id,
    status: 'active',
    types: null,
    ordered: false,
    skipSuperseded: false,
    concurrency: 8,
    ratePerSecond: null,
    registeredBy: 'operator',
    hasWebhookToken: false,
    headers: [],
    verified: false,
  });
  expect(read.text + (await world.everything())).not.toContain(endpoint.body['secret']);
});

test('an endpoint with asymmetric signatures shows the public key and never the private one', async () => {
  const { body, id } = await register({ signature: 'v1a' });
  expect(body).toMatchObject({ signature: 'v1a', publicKey: expect.stringMatching(/^whpk_/) });
  expect(body).not.toHaveProperty('secret');
  const [secret = ''] = await kept(id);
  const parsed = parseWebhookSecret(secret);
  const shown = parseWebhookSecret(String(body['publicKey']));
  if (parsed?.scheme !== 'v1a' || shown?.scheme !== 'v1a') throw new Error('not an Ed25519 pair');
  expect(shown.publicKey.export({ format: 'jwk' })).toEqual(parsed.publicKey.export({ format: 'jwk' }));
});

test('the query of a URL may be a secret of the receiver, so it is not shown', async () => {
  const endpoint = await register();
  for (const at of [endpoint.at, endpoints]) {
    const { text } = await world.call(root, 'GET', at);
    expect(text).toContain('https://receiver.example/hook?…');
    expect(text).not.toContain('of-theirs');
  }
});

test('a rotated secret overlaps with the previous one, and no longer than the last two', async () => {
  const endpoint = await register();
  const second = await world.call(root, 'POST', `${endpoint.at}/secret`, { overlapSeconds: 60 });
  expect(second).toMatchObject({ status: 200, body: { signature: 'v1', position: await world.head(world.arlo) } });
  expect(await kept(endpoint.id)).toEqual([second.body['secret'], endpoint.body['secret']]);
  const third = await world.call(root, 'POST', `${endpoint.at}/secret`);
  expect(await kept(endpoint.id)).toEqual([third.body['secret'], second.body['secret']]);
});

test('an endpoint is changed, disabled, enabled and deleted, and each again changes nothing', async () => {
  const endpoint = await register();
  for (const changed of [true, false]) {
    expect(await world.call(root, 'PATCH', endpoint.at, { types: ['grant.revoked'], ordered: true })).toMatchObject({
      status: 200,
      body: { changed },
    });
  }
  expect((await world.call(root, 'GET', endpoint.at)).body).toMatchObject({ types: ['grant.revoked'], ordered: true, concurrency: 8 });
  for (const changed of [true, false])
    expect(await world.call(root, 'POST', `${endpoint.at}/disable`)).toMatchObject({ body: { changed } });
  expect((await world.call(root, 'GET', endpoint.at)).body).toMatchObject({ status: 'disabled', reason: 'operator' });
  for (const changed of [true, false]) expect(await world.call(root, 'POST', `${endpoint.at}/enable`)).toMatchObject({ body: { changed } });
  for (const changed of [true, false]) expect(await world.call(root, 'DELETE', endpoint.at)).toMatchObject({ body: { changed } });
  for (const answer of [
    await world.call(root, 'GET', endpoint.at),
    await world.call(root, 'PATCH', endpoint.at, { ordered: false }),
    await world.call(root, 'POST', `${endpoint.at}/secret`),
    await world.call(root, 'POST', `${endpoint.at}/enable`),
  ]) {
    expect(answer).toMatchObject({ status: 409, body: { code: 'endpoint_deleted' } });
  }
  expect((await world.call(root, 'GET', endpoints)).text).not.toContain(endpoint.id);
});

test('an endpoint may hear one client, which has to be there', async () => {
  const client = await world.machine([], { platform: world.arlo });
  const endpoint = await register({ clientId: client.clientId });
  expect((await world.call(root, 'GET', endpoint.at)).body['clientStream']).toBe(client.stream);
  const other = await world.machine([], { platform: world.along });
  for (const clientId of ['nobody', other.clientId]) {
    expect(await world.call(root, 'POST', endpoints, { url: 'https://r.example', clientId })).toMatchObject({
      status: 422,
      body: { code: 'unknown_client' },
    });
  }
});

test('the list of a platform without endpoints is empty', async () => {
  await world.call(root, 'PUT', '/system/manage/platforms/silent', tenantJson('silent'));
  expect(await world.call(root, 'GET', '/silent/manage/webhook-endpoints')).toMatchObject({
    status: 200,
    body: { endpoints: [], next: null },
  });
});

test('the list is exact at once, pages by id, and shows no other platform', async () => {
  const document = tenantJson('paged');
  await world.call(root, 'PUT', '/system/manage/platforms/paged', document);
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) {
    const { body } = await world.call(root, 'POST', '/paged/manage/webhook-endpoints', { url: `https://r${index}.example` });
    made.push(String(body['endpointId']));
  }
  const found: string[] = [];
  for (let after: unknown = ''; after !== null; ) {
    const { body } = await world.call(root, 'GET', `/paged/manage/webhook-endpoints?limit=2${after === '' ? '' : `&after=${after}`}`);
    found.push(...(body['endpoints'] as readonly { readonly endpointId: string }[]).map(({ endpointId }) => endpointId));
    after = body['next'];
  }
  expect(found).toEqual(made.toSorted());
});

test.each([
  ['url_insecure', { url: 'http://receiver.example' }],
  ['url_invalid', { url: 'receiver' }],
  ['url_with_credentials', { url: 'https://user:word@receiver.example' }],
  ['url_with_fragment', { url: 'https://receiver.example/#here' }],
  ['types_unknown', { url: 'https://receiver.example', types: ['everything'] }],
])('a registration and a change are refused with %s', async (code, body) => {
  expect(await world.call(root, 'POST', endpoints, body)).toMatchObject({ status: 422, body: { code } });
  const endpoint = await register();
  expect(await world.call(root, 'PATCH', endpoint.at, body)).toMatchObject({ status: 422, body: { code } });
});

test('a type that does not exist is named, with its place and where those are that do', async () => {
  const { at } = await register({ types: ['grant.*', 'webhook_endpoint.verification'] });
  const types = ['grant.revoked', 'grant.refreshd', 'session.*', 'sessions.*'];
  for (const answer of [
    await world.call(root, 'POST', endpoints, { url: 'https://receiver.example', types }),
    await world.call(root, 'PATCH', at, { types }),
  ]) {
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'types_unknown', detail: expect.stringContaining('/webhooks/event-types') },
    });
    expect(answer.body['errors']).toEqual([
      { path: 'types[1]', problem: expect.stringContaining('grant.refreshd'), fix: expect.stringContaining('/arlo/webhooks/event-types') },
      { path: 'types[3]', problem: expect.stringContaining('sessions.*'), fix: expect.stringContaining('/arlo/webhooks/event-types') },
    ]);
  }
  expect((await world.call(root, 'GET', at)).body['types']).toEqual(['grant.*', 'webhook_endpoint.verification']);
});

test('http on loopback needs both a platform that allows it and a server in development', async () => {
  const url = 'http://127.0.0.1:9000/hook';
  const local = await register({ url });
  expect((await world.call(root, 'GET', local.at)).body['url']).toBe(url);
  expect(await world.call(root, 'POST', '/along/manage/webhook-endpoints', { url })).toMatchObject({
    status: 422,
    body: { code: 'url_insecure' },
  });
  const production = await createWorld(inject('databaseUrl'), { isDevelopment: false });
  try {
    const token = await production.operator('operator');
    expect(await production.call(token, 'POST', endpoints, { url })).toMatchObject({ status: 422, body: { code: 'url_insecure' } });
  } finally {
    await production.close();
  }
});

test('what another platform has, what is of another kind and what is no id is 404, whatever is asked of it', async () => {
  const endpoint = await register();
  const person = await world.account(world.arlo);
  for (const at of [`/along/manage/webhook-endpoints/${endpoint.id}`, `${endpoints}/${person.id}`, `${endpoints}/nonsense`]) {
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { ordered: true }],
      ['DELETE', '', undefined],
      ['POST', '/secret', {}],
      ['POST', '/webhook-token', { webhookToken: 'a-token' }],
      ['PUT', '/headers', { 'x-key': 'k' }],
      ['POST', '/test', undefined],
      ['POST', '/enable', undefined],
      ['POST', '/disable', undefined],
    ] as const) {
      expect([at, path, await world.call(root, method, at + path, body)]).toMatchObject([
        at,
        path,
        { status: 404, body: { code: 'unknown_endpoint' } },
      ]);
    }
  }
  expect(await kept(endpoint.id)).toHaveLength(1);
});

describe('the settings of an endpoint', () => {
  test('are taken, shown, changed and bounded', async () => {
    const settings = { skipSuperseded: true, ratePerSecond: 25, concurrency: 3, ordered: true };
    const { at } = await register(settings);
    expect((await world.call(root, 'GET', at)).body).toMatchObject(settings);
    for (const changed of [true, false])
      expect((await world.call(root, 'PATCH', at, { ratePerSecond: null, skipSuperseded: false })).body['changed']).toBe(changed);
    expect((await world.call(root, 'GET', at)).body).toMatchObject({ ...settings, ratePerSecond: null, skipSuperseded: false });
    for (const wrong of [{ ratePerSecond: 0 }, { ratePerSecond: 1_001 }, { ratePerSecond: 1.5 }, { concurrency: 101 }])
      expect(await world.call(root, 'PATCH', at, wrong)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

describe('a test message', () => {
  test('is an event, ten times a minute, of each endpoint for itself', async () => {
    const [one, other] = [await register(), await register()];
    const ask = ({ at }: { readonly at: string }) => world.call(root, 'POST', `${at}/test`);
    const first = await ask(one);
    expect(first).toMatchObject({ status: 202, body: { position: await world.head(world.arlo) } });
    const answers = await Promise.all(Array.from({ length: 15 }, () => ask(one)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(9);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(6);
    expect(refused[0]?.body).toMatchObject({ code: 'too_many_requests', detail: expect.stringContaining('Retry-After') });
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(other)).status).toBe(202);
    const { rows } = await world.deps.pool.query("select from event where stream_id = $1 and type = 'webhook_endpoint.tested'", [one.id]);
    expect(rows).toHaveLength(10);
  });

  test('is not sent to what is disabled', async () => {
    const { at } = await register();
    await world.call(root, 'POST', `${at}/disable`);
    expect(await world.call(root, 'POST', `${at}/test`)).toMatchObject({ status: 409, body: { code: 'endpoint_disabled' } });
  });
});

describe('an endpoint of some grants', () => {
  test('hears grants of one client, which the log knows', async () => {
    const client = await world.machine([], { platform: world.arlo });
    const stranger = await world.machine([], { platform: world.arlo });
    const at = { platform: world.arlo, account: null, scopes: ['read'] };
    const mine = await world.grant({ ...at, client: client.stream, clientId: client.clientId });
    const theirs = await world.grant({ ...at, client: stranger.stream, clientId: stranger.clientId });
    const elsewhere = await world.grant({ ...at, platform: world.along, client: client.stream, clientId: client.clientId });
    const endpoint = await register({ clientId: client.clientId, grants: [mine.id] });
    expect((await world.call(root, 'GET', endpoint.at)).body).toMatchObject({ clientStream: client.stream, grants: [mine.id] });
    const ask = (body: object) => world.call(root, 'POST', endpoints, { url: 'https://receiver.example', ...body });
    for (const grants of [[theirs.id], [mine.id, theirs.id], [elsewhere.id], [client.stream], ['nonsense'], [crypto.randomUUID()]]) {
      expect(await ask({ clientId: client.clientId, grants })).toMatchObject({ status: 422, body: { code: 'grants_unknown' } });
    }
    expect(await ask({ grants: [mine.id] })).toMatchObject({ status: 422, body: { code: 'grants_without_client' } });
    for (const grants of [[], Array.from({ length: 101 }, () => crypto.randomUUID()), [mine.id, mine.id]])
      expect((await ask({ clientId: client.clientId, grants })).status).toBe(400);
    expect(await world.call(root, 'PATCH', endpoint.at, { grants: [theirs.id] })).toMatchObject({ status: 400 });
  });
});
