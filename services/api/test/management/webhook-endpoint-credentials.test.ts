import { webhookEndpointDecider } from '@grantlog/domain';
import { fold, type StreamId } from '@grantlog/eventsourcing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { endpoints, registerEndpoint } from './support/register-endpoint.ts';
import { createWorld, type World } from './support/world.ts';

let world: World;
let root: string;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
});
afterAll(() => world.close());

const register = (more: object = {}) => registerEndpoint(world, root, more);

describe('the headers of an endpoint', () => {
  const secret = 'a-secret-header-value-5Tq';
  const put = (at: string, headers: object) => world.call(root, 'PUT', `${at}/headers`, headers);
  const namesAt = async (at: string): Promise<unknown> => (await world.call(root, 'GET', at)).body['headers'];

  test('are shown by name alone, replaced as a whole and taken away, and stand in no event', async () => {
    const { at, id } = await register({ headers: { 'X-Api-Key': secret } });
    expect(await namesAt(at)).toEqual(['X-Api-Key']);
    for (const changed of [true, false])
      expect((await put(at, { 'x-tenant': 'acme', 'X-Other': `${secret}-2` })).body).toMatchObject({ changed });
    expect(await namesAt(at)).toEqual(['x-tenant', 'X-Other']);
    const read = await world.call(root, 'GET', at);
    for (const changed of [true, false]) expect((await put(at, {})).body).toMatchObject({ changed });
    expect(await namesAt(at)).toEqual([]);
    expect(read.text + (await world.everything())).not.toContain(secret);
    const { rows } = await world.deps.pool.query<{ data: object }>(
      "select data from event where stream_id = $1 and type = 'webhook_endpoint.headers_set' order by version",
      [id],
    );
    expect(rows.map(({ data }) => data)).toEqual([
      { credentialId: expect.any(String), names: ['x-tenant', 'X-Other'] },
      { credentialId: null, names: [] },
    ]);
  });

  test('are at most twenty of 64 characters and 4 KiB', async () => {
    const headers = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}-`.padEnd(64, 'n'), 'v'.repeat(4_096)]));
    const { at } = await register({ headers });
    expect(await namesAt(at)).toHaveLength(20);
    expect(await put(at, { ...headers, one: 'more' })).toMatchObject({ status: 422, body: { errors: [{ path: 'headers' }] } });
  });

  test.each<readonly [name: string, value: string, word: string]>([
    ...['Webhook-Id', 'webhook-anything', 'Content-Type', 'USER-AGENT', 'traceparent', 'tracestate', 'svix-id', 'Svix-Anything'].map(
      (name) => [name, secret, 'header of ours'] as const,
    ),
    ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Cookie', 'Proxy-Authorization', 'Expect'].map(
      (name) => [name, secret, 'connection'] as const,
    ),
    ['Authorization', secret, 'webhookToken'],
    ['x'.repeat(65), secret, '64'],
    ['x-long', 'v'.repeat(4_097), '4096'],
    ['x y', secret, 'letters'],
    ['', secret, 'letters'],
    ['x:', secret, 'letters'],
    ['x-é', secret, 'letters'],
    ['x-umlaut', `${secret}ü`, 'ASCII'],
    ['x-space', ` ${secret}`, 'space'],
    ['\u212aey', secret, 'letters'],
  ])('named %j with %.30j are refused, and the value is not repeated', async (name, value, word) => {
    const { at } = await register();
    for (const answer of [
      await put(at, { 'x-good': '1', [name]: value }),
      await world.call(root, 'POST', endpoints, { url: 'https://receiver.example', headers: { 'x-good': '1', [name]: value } }),
    ]) {
      expect(answer).toMatchObject({ status: 422, body: { code: 'headers_invalid' } });
      expect(answer.body['errors']).toEqual([
        { path: `headers.${name.slice(0, 64)}`, problem: expect.any(String), fix: expect.any(String) },
      ]);
      expect(answer.text).toContain(word);
      expect(answer.text).not.toContain(secret);
    }
    expect(await namesAt(at)).toEqual([]);
  });

  test.each(['a\r\nx-more: 1', 'a\nb', 'a\0b', 'a\tb'])('with the value %j are refused', async (tail) => {
    const { at } = await register();
    const answer = await put(at, { 'X-Api-Key': secret + tail });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'X-Api-Key', problem: expect.stringContaining('control') }] } });
    expect(answer.text).not.toContain(secret);
  });

  test('that differ in case alone are refused', async () => {
    const { at } = await register();
    for (const [one, other] of [
      ['X-Key', 'x-key'],
      ['x-key', 'X-KEY'],
    ] as const)
      expect(await put(at, { [one]: 'a', [other]: 'b' })).toMatchObject({
        status: 422,
        body: { errors: [{ path: `headers.${other}`, problem: expect.stringContaining('twice') }] },
      });
  });
});

describe('the token of an endpoint', () => {
  const token = 'a-webhook-token-of-theirs-8Rz';
  const bearers = async (id: string): Promise<readonly unknown[]> => {
    const state = fold(
      webhookEndpointDecider,
      (await world.deps.log.load(world.arlo, [{ streamId: id as StreamId }])).stream(id as StreamId),
    );
    return state.status === 'active' ? state.bearers : [];
  };

  test('is given at the registration, rotated with an overlap, and never shown', async () => {
    const { at, id } = await register({ webhookToken: token });
    expect((await world.call(root, 'GET', at)).body['hasWebhookToken']).toBe(true);
    const again = await world.call(root, 'POST', `${at}/webhook-token`, { webhookToken: token });
    expect(again).toMatchObject({ status: 200, body: { changed: false } });
    const rotated = await world.call(root, 'POST', `${at}/webhook-token`, { webhookToken: `${token}-2`, overlapSeconds: 60 });
    expect(rotated).toMatchObject({ status: 200, body: { changed: true } });
    expect(await bearers(id)).toMatchObject([{ validUntil: null }, { validUntil: expect.any(Number) }]);
    expect(again.text + rotated.text + (await world.call(root, 'GET', at)).text + (await world.everything())).not.toContain(token);
  });

  test('is given later, and moves to no other URL, as headers do not', async () => {
    const { at, id } = await register({ headers: { 'x-key': 'k' } });
    expect((await world.call(root, 'GET', at)).body['hasWebhookToken']).toBe(false);
    await world.call(root, 'POST', `${at}/webhook-token`, { webhookToken: token });
    expect(await bearers(id)).toHaveLength(1);
    await world.call(root, 'PATCH', at, { url: 'https://elsewhere.example/hook' });
    expect((await world.call(root, 'GET', at)).body).toMatchObject({ hasWebhookToken: false, headers: [], verified: false });
  });

  test.each(['', 'two words', 'line\nbreak', 'ü', 'x'.repeat(513)])('is refused as %.20j', async (webhookToken) => {
    const { at } = await register();
    expect((await world.call(root, 'POST', `${at}/webhook-token`, { webhookToken })).status).toBe(400);
    expect((await world.call(root, 'POST', endpoints, { url: 'https://receiver.example', webhookToken })).status).toBe(400);
  });
});

test.each(['secret', 'webhook-token'])('what is replaced by %s stays good for a week at most', async (what) => {
  const { at } = await register();
  const ask = (overlapSeconds: number) =>
    world.call(root, 'POST', `${at}/${what}`, { overlapSeconds, ...(what === 'secret' ? {} : { webhookToken: 'a-token' }) });
  for (const overlapSeconds of [-1, 604_801, 0.5]) expect((await ask(overlapSeconds)).status).toBe(400);
  expect((await ask(604_800)).status).toBe(200);
});
