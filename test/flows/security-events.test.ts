import type { EndpointId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { changeAccount, changeEndpoint, setPassword } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { eventOf, type ReceivedSet, type SignalReceiver, setVerifier, startSignalReceiver } from '../support/signal-receiver.ts';
import { createSignalWorld, type SignalWorld } from '../support/signal-world.ts';
import { by } from '../support/workbench.ts';

/** Security events by the OpenID Shared Signals Framework, on two processes: a client's own stream, a platform-wide one, and polls. */
const platform = 'signals';
const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';
const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';
const updated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';
const push = 'urn:ietf:rfc:8935';
const poll = 'urn:ietf:rfc:8936';

let world: SignalWorld;
let ofClient: SignalReceiver;
let ofWatcher: SignalReceiver;

beforeAll(async () => {
  world = await createSignalWorld({ databaseUrl: inject('databaseUrl'), platform, workers: 1 });
  const { issuer, jwksUri, client, watcher } = world;
  ofClient = await startSignalReceiver(() => setVerifier({ issuer, audience: client.client_id, jwksUri }));
  ofWatcher = await startSignalReceiver(() => setVerifier({ issuer, audience: watcher.client_id, jwksUri }));
});
afterAll(async () => {
  await Promise.all([ofClient.close(), ofWatcher.close()]);
  await world.close();
});

const arrived = (at: SignalReceiver, path: string, what: (set: ReceivedSet) => boolean): Promise<ReceivedSet> =>
  eventually(`a SET at ${path}`, async () => at.received.find((each) => each.path === path && what(each)) ?? null, 30);
const isOf =
  (uri: string) =>
  ({ claims }: ReceivedSet): boolean =>
    eventOf(claims)[0] === uri;
describe('the transmitter', () => {
  test('is described where receivers look, by both forms of the URL', async () => {
    const { issuer, api } = world;
    for (const path of [`/.well-known/ssf-configuration/${platform}`, `/${platform}/.well-known/ssf-configuration`]) {
      const response = await fetch(`${api().url}${path}`);
      expect([response.status, await response.json()]).toEqual([
        200,
        {
          spec_version: '1_0',
          issuer,
          jwks_uri: `${issuer}/.well-known/jwks.json`,
          delivery_methods_supported: [push, poll],
          configuration_endpoint: `${issuer}/ssf/streams`,
          status_endpoint: `${issuer}/ssf/status`,
          add_subject_endpoint: `${issuer}/ssf/subjects/add`,
          remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
          verification_endpoint: `${issuer}/ssf/verification`,
          authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
          default_subjects: 'ALL',
        },
      ]);
    }
  });

  test('is not there on a platform without its scope', async () => {
    const { bench, api } = world;
    await bench.configure('silent', { resources: [] });
    const response = await fetch(`${api().url}/.well-known/ssf-configuration/silent`);
    expect([response.status, await response.json()]).toMatchObject([404, { error_description: expect.stringContaining('ssf.manage') }]);
  });
});

test('a client is pushed what concerns its grants: the URL verified first, the end of a grant as the end of a session', async () => {
  const { itself, create, connect, agent, api, client, account, issuer } = world;
  const token = await itself(client, 'ssf.manage');
  const url = `${ofClient.origin}/own`;
  const stream = await create(token, {
    delivery: { method: push, endpoint_url: url, authorization_header: 'Basic b2Y6dGhlIHJlY2VpdmVy' },
    events_requested: [`${caep}/session-revoked`, 'urn:grantlog:event-type:grant.refreshed', 'urn:nobody:sends-this'],
    description: 'ours',
  });
  expect(stream).toMatchObject({
    iss: issuer,
    aud: client.client_id,
    delivery: { method: push, endpoint_url: url },
    events_delivered: expect.toSatisfy((uris: readonly string[]) => uris.length === 2),
    description: 'ours',
  });
  expect(JSON.stringify(stream)).not.toContain('b2Y6dGhl');

  const proof = await arrived(ofClient, '/own', isOf(verification));
  expect(proof).toMatchObject({
    authorization: 'Basic b2Y6dGhlIHJlY2VpdmVy',
    claims: {
      sub_id: { format: 'opaque', id: stream.stream_id },
      jti: expect.any(String),
      iat: expect.any(Number),
      txn: expect.any(String),
    },
  });
  expect([proof.claims.sub, proof.claims.exp]).toEqual([undefined, undefined]);

  const { grant, refresh } = await connect();
  const { body } = await agent.refresh(api(), refresh);
  await agent.revoke(api(), String(body['refresh_token']));
  const subject = {
    format: 'complex',
    user: { format: 'iss_sub', iss: issuer, sub: account.id },
    session: { format: 'opaque', id: grant },
    application: { format: 'opaque', id: client.client_id },
  };
  const ended = await arrived(ofClient, '/own', isOf(`${caep}/session-revoked`));
  expect(ended.claims['sub_id']).toEqual(subject);
  expect(eventOf(ended.claims)[1]).toEqual({
    event_timestamp: expect.any(Number),
    initiating_entity: 'policy',
    reason_admin: { en: 'token_revoked' },
  });
  const refreshed = await arrived(ofClient, '/own', isOf('urn:grantlog:event-type:grant.refreshed'));
  expect(refreshed.claims['sub_id']).toEqual(subject);
  expect(eventOf(refreshed.claims)[1]).toMatchObject({ tokenSequence: 2, position: expect.any(Number) });
  // Nothing that was not asked for, and nothing that does not verify.
  const known = [verification, `${caep}/session-revoked`, 'urn:grantlog:event-type:grant.refreshed'];
  expect(ofClient.received.filter(({ claims }) => !known.includes(eventOf(claims)[0]))).toEqual([]);
  expect(ofClient.refused).toEqual([]);
});

test('a paused stream holds what happens, and a removed subject is heard of no more', async () => {
  const { itself, create, connect, ask, client, account, issuer } = world;
  const token = await itself(client, 'ssf.manage');
  const uri = 'urn:grantlog:event-type:grant.authorized';
  const stream = await create(token, { delivery: { method: push, endpoint_url: `${ofClient.origin}/held` }, events_requested: [uri] });
  const { stream_id: id } = stream;
  await arrived(ofClient, '/held', isOf(verification));
  const grants = () =>
    ofClient.received.filter((set) => set.path === '/held' && isOf(uri)(set)).map(({ claims }) => JSON.stringify(claims['sub_id']));

  const paused = { stream_id: id, status: 'paused', reason: 'being moved' };
  expect(await ask(token, 'POST', '/ssf/status', paused)).toEqual({ status: 200, body: paused });
  const held = await connect();
  // What is asked for is sent all the same, and with what it should repeat.
  expect((await ask(token, 'POST', '/ssf/verification', { stream_id: id, state: 'a state of mine' })).status).toBe(204);
  await arrived(ofClient, '/held', ({ claims }) => eventOf(claims)[1]['state'] === 'a state of mine');
  expect(grants()).toEqual([]);
  expect(await ask(token, 'POST', '/ssf/status', { stream_id: id, status: 'enabled' })).toEqual({
    status: 200,
    body: { stream_id: id, status: 'enabled' },
  });
  await arrived(ofClient, '/held', isOf(uri));
  expect(grants()).toEqual([expect.stringContaining(held.grant)]);

  const subject = { format: 'iss_sub', iss: issuer, sub: account.id };
  expect((await ask(token, 'POST', '/ssf/subjects/remove', { stream_id: id, subject })).status).toBe(204);
  const unheard = await connect();
  expect((await ask(token, 'POST', '/ssf/subjects/add', { stream_id: id, subject: { format: 'complex', user: subject } })).status).toBe(
    200,
  );
  const again = await connect();
  await eventually('the grant after', async () => (grants().length === 2 ? true : null), 30);
  expect(grants().join()).toContain(again.grant);
  expect(grants().join()).not.toContain(unheard.grant);
  const nobody = { format: 'email', email: 'someone@example.com' };
  expect(await ask(token, 'POST', '/ssf/subjects/remove', { stream_id: id, subject: nobody })).toMatchObject({
    status: 422,
    body: { code: 'subject_unknown' },
  });
});

test('a receiver is told when somebody else disables or enables its stream, however it hears, and not what it does itself', async () => {
  const { itself, create, ask, client, bench, issuer, jwksUri } = world;
  const token = await itself(client, 'ssf.manage');
  const pushed = await create(token, { delivery: { method: push, endpoint_url: `${ofClient.origin}/moved` }, events_requested: [] });
  const polled = await create(token, { events_requested: [] });
  await arrived(ofClient, '/moved', isOf(verification));
  const byOperator = (id: string, type: 'disable' | 'enable') =>
    changeEndpoint(bench.context, by, {
      platform: platform as PlatformId,
      endpoint: id as EndpointId,
      manager: { kind: 'operator' },
      command: { type },
      isDevelopment: true,
    });
  const updates = () =>
    ofClient.received.filter((set) => set.path === '/moved' && isOf(updated)(set)).map(({ claims }) => eventOf(claims)[1]);
  for (const { stream_id: id } of [pushed, polled]) await byOperator(id, 'disable');
  await arrived(ofClient, '/moved', isOf(updated));
  expect(updates()).toEqual([{ status: 'disabled', reason: 'operator' }]);

  const verify = setVerifier({ issuer, audience: client.client_id, jwksUri });
  const next = (status: string) =>
    eventually(
      `that it is ${status}`,
      async () => {
        const { body } = await ask(token, 'POST', `/ssf/poll/${polled.stream_id}`, { returnImmediately: true });
        const sets = await Promise.all(Object.values(body['sets'] as Readonly<Record<string, string>>).map(verify));
        const events = sets.map(eventOf);
        return events.some(([uri, said]) => uri === updated && said['status'] === status) ? events : null;
      },
      30,
    );
  expect(await next('disabled')).toEqual([[updated, { status: 'disabled', reason: 'operator' }]]);
  for (const { stream_id: id } of [pushed, polled]) await byOperator(id, 'enable');
  expect(await next('enabled')).toEqual([[updated, { status: 'enabled' }]]);
  await eventually('that it is enabled', async () => (updates().length === 2 ? true : null), 30);
  expect(updates()[1]).toEqual({ status: 'enabled' });

  for (const status of ['disabled', 'enabled'])
    expect((await ask(token, 'POST', '/ssf/status', { stream_id: pushed.stream_id, status })).status).toBe(200);
  expect((await ask(token, 'POST', '/ssf/verification', { stream_id: pushed.stream_id, state: 'after all that' })).status).toBe(204);
  await arrived(ofClient, '/moved', ({ claims }) => eventOf(claims)[1]['state'] === 'after all that');
  expect(updates()).toHaveLength(2);
});

test('who may hear the whole platform is told how accounts stand and what secures them, and no app is', async () => {
  const { itself, create, connect, bench, account, client, watcher, issuer } = world;
  const own = await itself(client, 'ssf.manage');
  const wide = await itself(watcher, 'ssf.manage ssf.platform');
  await create(own, { delivery: { method: push, endpoint_url: `${ofClient.origin}/all` } });
  await create(wide, { delivery: { method: push, endpoint_url: `${ofWatcher.origin}/all` } });
  await Promise.all([arrived(ofClient, '/all', isOf(verification)), arrived(ofWatcher, '/all', isOf(verification))]);
  const other = await bench.account(platform);
  const subject = { format: 'iss_sub', iss: issuer, sub: other.id };
  const ofOther = (uri: string) => (set: ReceivedSet) => isOf(uri)(set) && JSON.stringify(set.claims['sub_id']) === JSON.stringify(subject);

  const place = { platform: platform as PlatformId, account: other.id };
  await setPassword(bench.context, by, { ...place, password: crypto.randomUUID() });
  await changeAccount(bench.context, by, { ...place, command: { type: 'disable', reason: 'requested' } });
  await changeAccount(bench.context, by, { ...place, command: { type: 'enable' } });
  const changed = await arrived(ofWatcher, '/all', ofOther(`${caep}/credential-change`));
  expect(eventOf(changed.claims)[1]).toMatchObject({ credential_type: 'password', change_type: 'update' });
  for (const uri of [`${risc}/account-disabled`, `${risc}/account-enabled`]) await arrived(ofWatcher, '/all', ofOther(uri));
  // An app hears nothing of how its own people secure their accounts, though it hears of what they allow it afterwards.
  await connect();
  await setPassword(bench.context, by, { platform: platform as PlatformId, account: account.id, password: account.password });
  await arrived(ofWatcher, '/all', (set) => isOf(`${caep}/credential-change`)(set) && JSON.stringify(set.claims).includes(account.id));
  const { grant } = await connect();
  await arrived(ofClient, '/all', (set) => JSON.stringify(set.claims).includes(grant));
  expect(ofClient.received.filter(isOf(`${caep}/credential-change`))).toEqual([]);
  // The other app has no grant of this account, and heard of none of it.
  expect(ofClient.received.filter(({ claims }) => JSON.stringify(claims).includes(other.id))).toEqual([]);
  expect(ofWatcher.refused).toEqual([]);
});

test('a receiver that polls gets each event until it says that it has it, at once or when there is one', async () => {
  const { itself, create, connect, ask, client, issuer, jwksUri } = world;
  const token = await itself(client, 'ssf.manage');
  const uri = 'urn:grantlog:event-type:grant.authorized';
  const { stream_id: id, delivery } = await create(token, { events_requested: [uri] });
  expect(delivery).toEqual({ method: poll, endpoint_url: `${issuer}/ssf/poll/${id}` });
  const fetchSets = async (body: object): Promise<{ readonly sets: Readonly<Record<string, string>>; readonly moreAvailable: boolean }> => {
    const { status, body: answer } = await ask(token, 'POST', `/ssf/poll/${id}`, body);
    expect([status, answer]).toMatchObject([200, { sets: expect.any(Object), moreAvailable: expect.any(Boolean) }]);
    return answer as never;
  };
  const verify = setVerifier({ issuer, audience: client.client_id, jwksUri });
  const first = await eventually(
    'the verification',
    async () => {
      const { sets } = await fetchSets({ returnImmediately: true });
      return Object.keys(sets).length === 0 ? null : sets;
    },
    30,
  );
  const [[jti = '', set = ''] = []] = Object.entries(first);
  expect(eventOf(await verify(set))).toEqual([verification, {}]);
  // Unacknowledged it comes again, and the same.
  expect((await fetchSets({ returnImmediately: true })).sets).toEqual({ [jti]: set });
  expect(await fetchSets({ maxEvents: 0, ack: [jti] })).toEqual({ sets: {}, moreAvailable: false });

  const waiting = fetchSets({});
  const { grant } = await connect();
  const [[next = '', told = ''] = []] = Object.entries((await waiting).sets);
  expect(JSON.stringify(await verify(told))).toContain(grant);
  await connect();
  await eventually('two', async () => (Object.keys((await fetchSets({ returnImmediately: true })).sets).length === 2 ? true : null), 30);
  expect(await fetchSets({ returnImmediately: true, maxEvents: 1 })).toMatchObject({ sets: { [next]: told }, moreAvailable: true });
  const left = await fetchSets({ returnImmediately: true, setErrs: { [next]: { err: 'invalid_audience', description: 'not mine' } } });
  expect(Object.keys(left.sets)).toEqual([expect.not.stringMatching(next)]);
  // What is none of this stream's is passed over.
  expect(await fetchSets({ maxEvents: 0, ack: [crypto.randomUUID(), 'nonsense', ...Object.keys(left.sets)] })).toEqual({
    sets: {},
    moreAvailable: false,
  });
  expect((await fetchSets({ returnImmediately: true })).sets).toEqual({});
});
