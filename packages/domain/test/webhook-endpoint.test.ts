import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import {
  type ClientStreamId,
  type EndpointRegistration,
  type GrantId,
  type NameId,
  type SessionId,
  type WebhookEndpointCommand,
  type WebhookEndpointEvent,
  webhookEndpointDecider,
} from '../src/index.ts';

const client = '00000000-0004-8000-8000-000000000001' as ClientStreamId;
const one = '01890000-0000-7000-8000-000000000001' as GrantId;
const slot = '00000000-0005-8000-8000-000000000001' as NameId;

const registration: EndpointRegistration = {
  url: 'https://agent.example/hooks?key=k',
  types: ['grant.revoked'],
  client: null,
  secretCredentials: ['s1'],
  signature: 'v1',
  ordered: false,
  concurrency: 4,
  description: 'Agent',
};
const registered: WebhookEndpointEvent = { type: 'webhook_endpoint.registered', data: { ...registration, asksForProof: true } };
const updated = (data: object): WebhookEndpointEvent => ({ type: 'webhook_endpoint.updated', data });
const verified: WebhookEndpointEvent = { type: 'webhook_endpoint.verified', data: {} };
const gone: WebhookEndpointEvent = { type: 'webhook_endpoint.disabled', data: { reason: 'gone' } };
const deleted: WebhookEndpointEvent = { type: 'webhook_endpoint.deleted', data: {} };
const register = (changes: Partial<EndpointRegistration> = {}, allowLoopback = false): WebhookEndpointCommand => ({
  type: 'register',
  allowLoopback,
  ...registration,
  ...changes,
});
const { given, replay } = specification(webhookEndpointDecider);

const others: readonly WebhookEndpointCommand[] = [
  { type: 'verify' },
  { type: 'update', changes: { ordered: true }, allowLoopback: false },
  { type: 'rotateSecret', credentialId: 's2', previousValidUntil: 0 },
  { type: 'disable', reason: 'operator' },
  { type: 'enable' },
];

describe('registering an endpoint', () => {
  test('records where and how to send, and that nobody there has been heard yet', () => {
    given([])
      .when(register())
      .expect({ events: [registered] });
    expect(replay([registered])).toMatchObject({ status: 'active', verified: false, secrets: [{ credentialId: 's1', validUntil: null }] });
  });

  test('says which grants of its client it hears, who registered it and what it is sent with', () => {
    const headers = { credentialId: 'h1', names: ['X-Api-Key'] };
    const more = { client, grants: [one], registeredBy: 'grant', slot, headers, bearerCredential: 'b1' } as const;
    given([])
      .when(register(more))
      .expect({ events: [{ type: 'webhook_endpoint.registered', data: { ...registration, ...more, asksForProof: true } }] });
    expect(replay([{ type: 'webhook_endpoint.registered', data: { ...registration, ...more } }])).toMatchObject({
      client,
      grants: [one],
      registeredBy: 'grant',
      slot,
      headers,
      bearers: [{ credentialId: 'b1', validUntil: null }],
    });
    expect(replay([registered])).toMatchObject({ grants: null, registeredBy: 'operator', slot: null, headers: null, bearers: [] });
  });

  test('takes an id once', () => {
    given([registered]).when(register()).expect({ events: [], refusal: 'endpoint_exists' });
    given([registered, deleted]).when(register()).expect({ events: [], refusal: 'endpoint_deleted' });
  });

  test.each<[Partial<EndpointRegistration>, string]>([
    [{ url: 'agent.example/hooks' }, 'url_invalid'],
    [{ url: `https://agent.example/${'x'.repeat(2048)}` }, 'url_invalid'],
    [{ url: 'http://agent.example/hooks' }, 'url_insecure'],
    [{ url: 'ftp://agent.example/hooks' }, 'url_insecure'],
    [{ url: 'https://localhost/hooks' }, 'url_insecure'],
    [{ url: 'http://127.0.0.1:9000/' }, 'url_insecure'],
    [{ url: 'https://user@agent.example/' }, 'url_with_credentials'],
    [{ url: 'https://:pass@agent.example/' }, 'url_with_credentials'],
    [{ url: 'https://agent.example/#x' }, 'url_with_fragment'],
    [{ types: [] }, 'types_invalid'],
    [{ types: Array.from({ length: 101 }, () => 'grant.revoked') }, 'types_invalid'],
    [{ types: ['everything'] }, 'types_unknown'],
    [{ types: ['grant.revoked', 'grant.refreshd'] }, 'types_unknown'],
    [{ types: ['grant.denied'] }, 'types_unknown'],
    [{ types: ['*'] }, 'types_unknown'],
    [{ types: ['.*'] }, 'types_unknown'],
    [{ types: ['gran.*'] }, 'types_unknown'],
    [{ types: ['grant.revoked.*'] }, 'types_unknown'],
    [{ concurrency: 0 }, 'concurrency_out_of_range'],
    [{ concurrency: 101 }, 'concurrency_out_of_range'],
    [{ concurrency: 1.5 }, 'concurrency_out_of_range'],
    [{ description: 'x'.repeat(501) }, 'description_too_long'],
    [{ grants: [] }, 'grants_without_client'],
    [{ grants: [one] }, 'grants_without_client'],
    [{ grants: [one], client, session: one as string as SessionId }, 'grants_without_client'],
    [{ grants: [], client }, 'grants_invalid'],
    [{ grants: [one, one], client }, 'grants_invalid'],
    [
      { grants: Array.from({ length: 101 }, (_, n) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}` as GrantId), client },
      'grants_invalid',
    ],
    [{ secretCredentials: [] }, 'secret_missing'],
    [{ secretCredentials: ['a', 'b', 'c'] }, 'too_many_secrets'],
  ])('refuses %j as %s', (changes, refusal) => {
    expect(given([]).when(register(changes)).decision()).toEqual({ events: [], refusal });
  });

  test.each(['http://localhost:9000/hook', 'http://127.0.0.1/', 'http://[::1]:9000/', 'https://localhost/'])(
    'takes %s where the platform allows loopback',
    (url) => {
      expect(given([]).when(register({ url }, true)).decision()).not.toHaveProperty('refusal');
    },
  );

  test.each(['http://localhost.evil.example/', 'http://127.0.0.1.evil.example/', 'http://10.0.0.1/'])(
    'refuses %s even where the platform allows loopback',
    (url) => {
      given([]).when(register({ url }, true)).expect({ events: [], refusal: 'url_insecure' });
    },
  );
});

describe('an endpoint', () => {
  test.each([...others, { type: 'delete' as const }])('refuses to $type before it is registered', (command) => {
    given([]).when(command).expect({ events: [], refusal: 'unknown_endpoint' });
  });

  test.each(others)('refuses to $type once it is deleted', (command) => {
    given([registered, deleted]).when(command).expect({ events: [], refusal: 'endpoint_deleted' });
  });

  test('of a version that asked for no proof counts as verified, until its URL changes', () => {
    const earlier: WebhookEndpointEvent = { type: 'webhook_endpoint.registered', data: registration };
    expect(replay([earlier])).toMatchObject({ verified: true });
    expect(replay([earlier, updated({ url: 'https://other.example/' })])).toMatchObject({ verified: false });
  });

  test('is verified once, until its URL changes', () => {
    given([registered])
      .when({ type: 'verify' })
      .expect({ events: [verified] });
    given([registered, verified]).when({ type: 'verify' }).expect({ events: [] });
    expect(replay([registered, verified, updated({ description: 'New', url: registration.url })])).toMatchObject({
      verified: true,
      description: 'New',
    });
    expect(replay([registered, verified, updated({ url: 'https://other.example/' })])).toMatchObject({ verified: false });
    expect(replay([registered, updated({ ordered: true })])).toMatchObject({ verified: false });
  });

  test('records only what changes and checks the result as a registration', () => {
    const update = (changes: Partial<EndpointRegistration>): WebhookEndpointCommand => ({ type: 'update', changes, allowLoopback: false });
    given([registered])
      .when(update({ types: null }))
      .expect({ events: [{ type: 'webhook_endpoint.updated', data: { types: null } }] });
    given([registered])
      .when(update({ types: ['grant.revoked'] }))
      .expect({ events: [] });
    given([registered])
      .when(update({ url: 'http://agent.example/' }))
      .expect({ events: [], refusal: 'url_insecure' });
  });

  test('goes on with types that were known when it was registered, until it asks for others', () => {
    const old: WebhookEndpointEvent = { type: 'webhook_endpoint.registered', data: { ...registration, types: ['grant.forgotten'] } };
    expect(replay([old])).toMatchObject({ status: 'active', types: ['grant.forgotten'] });
    const update = (changes: Partial<EndpointRegistration>): WebhookEndpointCommand => ({ type: 'update', changes, allowLoopback: false });
    given([old])
      .when(update({ ordered: true }))
      .expect({ events: [{ type: 'webhook_endpoint.updated', data: { ordered: true } }] });
    given([old])
      .when(update({ types: ['grant.forgotten', 'grant.revoked'] }))
      .expect({ events: [], refusal: 'types_unknown' });
    given([old])
      .when(update({ types: ['grant.*'] }))
      .expect({ events: [{ type: 'webhook_endpoint.updated', data: { types: ['grant.*'] } }] });
  });

  test('signs with two secrets during a rotation', () => {
    const rotated: WebhookEndpointEvent = {
      type: 'webhook_endpoint.secret_rotated',
      data: { credentialId: 's2', previousValidUntil: 100 },
    };
    given([registered])
      .when({ type: 'rotateSecret', credentialId: 's2', previousValidUntil: 100 })
      .expect({ events: [rotated] });
    expect(replay([registered, rotated])).toMatchObject({
      secrets: [
        { credentialId: 's2', validUntil: null },
        { credentialId: 's1', validUntil: 100 },
      ],
    });
  });

  test('has other headers, or none, and takes away only what there is', () => {
    const headers = { credentialId: 'h2', names: ['X-Tenant'] };
    const set: WebhookEndpointEvent = { type: 'webhook_endpoint.headers_set', data: headers };
    const removed: WebhookEndpointEvent = { type: 'webhook_endpoint.headers_set', data: { credentialId: null, names: [] } };
    given([registered])
      .when({ type: 'setHeaders', headers })
      .expect({ events: [set] });
    expect(replay([registered, set])).toMatchObject({ headers });
    given([registered, set])
      .when({ type: 'setHeaders', headers: null })
      .expect({ events: [removed] });
    expect(replay([registered, set, removed])).toMatchObject({ headers: null });
    given([registered]).when({ type: 'setHeaders', headers: null }).expect({ events: [] });
  });

  test('sends another URL nothing that was given for the one before', () => {
    const given: WebhookEndpointEvent = {
      type: 'webhook_endpoint.registered',
      data: { ...registration, bearerCredential: 'b1', headers: { credentialId: 'h1', names: ['X-Api-Key'] } },
    };
    const moved = (url: string): WebhookEndpointEvent => ({ type: 'webhook_endpoint.updated', data: { url } });
    expect(replay([given, moved(registration.url)])).toMatchObject({ bearers: [{ credentialId: 'b1' }], headers: { credentialId: 'h1' } });
    expect(replay([given, moved('https://other.example/')])).toMatchObject({
      bearers: [],
      headers: null,
      secrets: [{ credentialId: 's1' }],
    });
  });

  test('keeps its first reason for being disabled, and is enabled as it was', () => {
    given([registered])
      .when({ type: 'disable', reason: 'gone' })
      .expect({ events: [gone] });
    given([registered, gone]).when({ type: 'disable', reason: 'failing' }).expect({ events: [] });
    const enabled: WebhookEndpointEvent = { type: 'webhook_endpoint.enabled', data: {} };
    given([registered, gone])
      .when({ type: 'enable' })
      .expect({ events: [enabled] });
    given([registered]).when({ type: 'enable' }).expect({ events: [] });
    expect(replay([registered, gone])).toMatchObject({ status: 'disabled', reason: 'gone' });
    expect(replay([registered, verified, gone, enabled])).toEqual(replay([registered, verified]));
  });

  test('is deleted once and keeps no URL', () => {
    given([registered])
      .when({ type: 'delete' })
      .expect({ events: [deleted] });
    given([registered, deleted]).when({ type: 'delete' }).expect({ events: [] });
    expect(replay([registered, deleted])).toEqual({ status: 'deleted', firstPosition: 1 });
  });
});

describe('recovering an endpoint', () => {
  const recovery = { recoveryId: 'r1', from: 3, through: 9, ratePerSecond: 50, includeDelivered: false };
  const requested: WebhookEndpointEvent = { type: 'webhook_endpoint.recovery_requested', data: recovery };
  const cancelled: WebhookEndpointEvent = { type: 'webhook_endpoint.recovery_cancelled', data: { recoveryId: 'r1' } };
  const enabled: WebhookEndpointEvent = { type: 'webhook_endpoint.enabled', data: {} };
  const recover = (over: string | null = null, recoveryId = 'r1') =>
    ({ type: 'recover', recovery: { ...recovery, recoveryId }, over }) as const;

  test('records what is to be sent once more', () => {
    given([registered, verified])
      .when(recover())
      .expect({ events: [requested] });
    expect(replay([registered, verified, requested])).toMatchObject({ recovery });
  });

  test('waits until the one before is carried out or cancelled', () => {
    given([registered, verified, requested]).when(recover(null, 'r2')).expect({ events: [], refusal: 'recovery_running' });
    given([registered, verified, requested]).when(recover('r0', 'r2')).expect({ events: [], refusal: 'recovery_running' });
    expect(given([registered, verified, requested]).when(recover('r1', 'r2')).decision()).not.toHaveProperty('refusal');
    expect(given([registered, verified, requested, cancelled]).when(recover(null, 'r2')).decision()).not.toHaveProperty('refusal');
  });

  test('is refused where nothing is sent, and ends with the endpoint', () => {
    given([registered]).when(recover()).expect({ events: [], refusal: 'endpoint_unverified' });
    given([registered, verified, gone]).when(recover()).expect({ events: [], refusal: 'endpoint_disabled' });
    given([registered, verified, deleted]).when(recover()).expect({ events: [], refusal: 'endpoint_deleted' });
    expect(replay([registered, verified, requested, gone, enabled])).toMatchObject({ status: 'active', recovery: null });
  });

  test('is cancelled once, and only while it is the one that runs', () => {
    const cancel = (recoveryId: string) => ({ type: 'cancelRecovery', recoveryId }) as const;
    given([registered, verified, requested])
      .when(cancel('r1'))
      .expect({ events: [cancelled] });
    given([registered, verified, requested]).when(cancel('r2')).expect({ events: [] });
    given([registered, verified, requested, cancelled]).when(cancel('r1')).expect({ events: [] });
    given([registered, verified, requested, gone]).when(cancel('r1')).expect({ events: [] });
  });
});
