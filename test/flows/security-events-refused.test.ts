import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createSignalWorld, type SignalWorld } from '../support/signal-world.ts';

/** What receivers of security events may not do, and how streams are configured; nothing is sent here. */
let world: SignalWorld;
let token: string;
beforeAll(async () => {
  world = await createSignalWorld({ databaseUrl: inject('databaseUrl'), platform: 'signals-refused', workers: 0 });
  token = await world.itself(world.client, 'ssf.manage');
});
afterAll(() => world.close());

const push = (url: string) => ({ method: 'urn:ietf:rfc:8935', endpoint_url: url });
const poll = { method: 'urn:ietf:rfc:8936' };

describe('who may not receive', () => {
  test('is told why: nobody, a person, a token without the scope, one of another platform', async () => {
    const { ask, connect, itself, client, bench } = world;
    expect((await ask(null, 'GET', '/ssf/streams')).status).toBe(401);
    expect((await ask('tst_at_nonsense', 'GET', '/ssf/streams')).status).toBe(401);
    const { access } = await connect();
    expect(await ask(access, 'GET', '/ssf/streams')).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('client_credentials') },
    });
    const reader = await itself(client, 'read');
    expect(await ask(reader, 'GET', '/ssf/streams')).toMatchObject({
      status: 403,
      body: { detail: 'The access token lacks the scope ssf.read' },
    });
    const looker = await itself(client, 'ssf.read');
    expect((await ask(looker, 'GET', '/ssf/streams')).status).toBe(200);
    expect(await ask(looker, 'POST', '/ssf/streams', {})).toMatchObject({
      status: 403,
      body: { detail: 'The access token lacks the scope ssf.manage' },
    });
    await bench.configure('signals-elsewhere', { resources: [], scopes: [{ name: 'ssf.manage', description: 'Receive security events' }] });
    expect((await ask(token, 'GET', '/ssf/streams', undefined, 'signals-elsewhere')).status).toBe(401);
  });

  test('finds no stream of another client by any way, and no webhook endpoint among streams', async () => {
    const { ask, create, itself, watcher } = world;
    const { stream_id: id } = await create(token, {});
    const other = await itself(watcher, 'ssf.manage ssf.platform');
    const subject = { format: 'iss_sub', iss: world.issuer, sub: world.account.id };
    for (const [method, path, body] of [
      ['GET', `/ssf/streams?stream_id=${id}`],
      ['PATCH', '/ssf/streams', { stream_id: id, description: 'mine now' }],
      ['PUT', '/ssf/streams', { stream_id: id }],
      ['DELETE', `/ssf/streams?stream_id=${id}`],
      ['GET', `/ssf/status?stream_id=${id}`],
      ['POST', '/ssf/status', { stream_id: id, status: 'disabled' }],
      ['POST', '/ssf/subjects/remove', { stream_id: id, subject }],
      ['POST', '/ssf/subjects/add', { stream_id: id, subject }],
      ['POST', '/ssf/verification', { stream_id: id }],
      ['POST', `/ssf/poll/${id}`, { returnImmediately: true }],
    ] as const)
      expect([path, await ask(other, method, path, body)]).toMatchObject([path, { status: 404, body: { code: 'unknown_stream' } }]);
    const hook = await ask(token, 'POST', '/webhooks/endpoints', { url: 'http://127.0.0.1:9/hook' });
    expect(hook.status).toBe(201);
    expect((await ask(token, 'GET', `/ssf/streams?stream_id=${String(hook.body['endpointId'])}`)).status).toBe(404);
    expect((await ask(token, 'GET', `/webhooks/endpoints/${id}`)).status).toBe(404);
    expect(JSON.stringify((await ask(token, 'GET', '/webhooks/endpoints')).body)).not.toContain(id);
    expect((await ask(other, 'GET', '/ssf/streams')).body).toEqual([]);
  });
});

describe('a stream', () => {
  test.each([
    ['a push without a URL', { delivery: { method: 'urn:ietf:rfc:8935' } }, 422, 'url_missing'],
    ['a poll with a URL', { delivery: { ...poll, endpoint_url: 'https://agent.example/' } }, 422, 'poll_url_given'],
    ['an unknown method', { delivery: { method: 'carrier-pigeon' } }, 400, 'invalid_request'],
    ['a URL that is none', { delivery: push('agent') }, 422, 'url_unreachable'],
    ['a URL inside', { delivery: push('https://169.254.169.254/') }, 422, 'url_unreachable'],
    ['a header of two lines', { delivery: { ...push('https://agent.example/'), authorization_header: 'a\nb' } }, 400, 'invalid_request'],
    ['events that are no list', { events_requested: 'all' }, 400, 'invalid_request'],
  ])('is not made of %s', async (_what, body, status, code) => {
    expect(await world.ask(token, 'POST', '/ssf/streams', body)).toMatchObject({ status, body: { code } });
  });

  test('is changed in what is named, or replaced in all that can be chosen, and gone once deleted', async () => {
    const { ask, create, client, issuer } = world;
    const uri = 'urn:grantlog:event-type:grant.revoked';
    const { stream_id: id } = await create(token, { events_requested: [uri, 'urn:nobody'], description: 'first' });
    const patched = await ask(token, 'PATCH', '/ssf/streams', {
      stream_id: id,
      iss: issuer,
      aud: [client.client_id],
      description: 'second',
    });
    expect(patched).toMatchObject({
      status: 200,
      body: { description: 'second', events_requested: [uri, 'urn:nobody'], events_delivered: [uri] },
    });
    const { body: replaced } = await ask(token, 'PUT', '/ssf/streams', { stream_id: id });
    expect(replaced).toMatchObject({ stream_id: id, events_delivered: replaced['events_supported'], delivery: poll });
    expect([replaced['description'], replaced['events_requested']]).toEqual([undefined, undefined]);
    for (const [change, code] of [
      [{ aud: 'somebody' }, 'audience_fixed'],
      [{ iss: 'https://elsewhere.example' }, 'audience_fixed'],
      [{ delivery: push('https://agent.example/') }, 'method_fixed'],
    ] as const)
      expect(await ask(token, 'PATCH', '/ssf/streams', { stream_id: id, ...change })).toMatchObject({ status: 422, body: { code } });
    expect((await ask(token, 'DELETE', `/ssf/streams?stream_id=${id}`)).status).toBe(204);
    expect((await ask(token, 'GET', `/ssf/streams?stream_id=${id}`)).status).toBe(404);
    expect((await ask(token, 'DELETE', `/ssf/streams?stream_id=${id}`)).status).toBe(404);
  });

  test('is enabled, paused and disabled, and says so; one that is pushed is not polled', async () => {
    const { ask, create } = world;
    const { stream_id: id } = await create(token, { delivery: push('http://127.0.0.1:9/set') });
    const status = async (): Promise<unknown> => (await ask(token, 'GET', `/ssf/status?stream_id=${id}`)).body;
    expect(await status()).toEqual({ stream_id: id, status: 'enabled' });
    for (const next of [
      { status: 'paused', reason: 'a move' },
      { status: 'paused' },
      { status: 'disabled' },
      { status: 'enabled' },
    ] as const) {
      const { status: code, body } = await ask(token, 'POST', '/ssf/status', { stream_id: id, ...next });
      expect([code, body]).toMatchObject([200, { stream_id: id, ...next }]);
      expect(await status()).toEqual(body);
    }
    expect((await ask(token, 'POST', '/ssf/status', { stream_id: id, status: 'asleep' })).status).toBe(400);
    expect(await ask(token, 'POST', `/ssf/poll/${id}`, {})).toMatchObject({ status: 409, body: { code: 'not_polled' } });
  });

  test('is asked to verify no more than some times a minute', async () => {
    const { ask, create } = world;
    const { stream_id: id } = await create(token, {});
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(token, 'POST', '/ssf/verification', { stream_id: id })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 429]));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(10);
  });
});
