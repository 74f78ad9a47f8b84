import { specification } from '@grantlog/eventsourcing';
import { describe, expect, test } from 'vitest';
import {
  type EndpointRegistration,
  type SessionId,
  type WebhookEndpointCommand,
  type WebhookEndpointEvent,
  webhookEndpointDecider,
} from '../src/index.ts';

const session = '01890000-0000-7000-8000-000000000001' as SessionId;
const earlier: EndpointRegistration = {
  url: 'https://agent.example/hooks',
  types: null,
  client: null,
  secretCredentials: ['s1'],
  signature: 'v1a',
  ordered: false,
  concurrency: 4,
  description: '',
};
const registration: EndpointRegistration = { ...earlier, session, bearerCredential: 'b1', hasDeliveryContext: true };
const registered: WebhookEndpointEvent = { type: 'webhook_endpoint.registered', data: { ...registration, asksForProof: true } };
const verified: WebhookEndpointEvent = { type: 'webhook_endpoint.verified', data: {} };
const rotated = (credentialId: string, previousValidUntil: number): WebhookEndpointEvent => ({
  type: 'webhook_endpoint.bearer_rotated',
  data: { credentialId, previousValidUntil },
});
const rotate: WebhookEndpointCommand = { type: 'rotateBearer', credentialId: 'b2', previousValidUntil: 99 };
const setContext: WebhookEndpointCommand = { type: 'setContext', hasDeliveryContext: false };
const { given, replay } = specification(webhookEndpointDecider);

describe('the webhook of a session', () => {
  test('belongs to its session, with the bearer token and the context that it came with', () => {
    given([])
      .when({ type: 'register', allowLoopback: false, ...registration })
      .expect({ events: [registered] });
    expect(replay([{ ...registered, personal: new Uint8Array([1, 2]) }])).toMatchObject({
      session,
      bearers: [{ credentialId: 'b1', validUntil: null }],
      hasDeliveryContext: true,
      personal: { version: 1, sealed: 'AQI=' },
      verified: false,
    });
  });

  test('stays with its session when its URL changes, and is to be verified anew', () => {
    const changes = { url: 'https://agent.example/other' };
    const updated: WebhookEndpointEvent = { type: 'webhook_endpoint.updated', data: changes };
    given([registered, verified])
      .when({ type: 'update', changes, allowLoopback: false })
      .expect({ events: [updated] });
    expect(replay([registered, verified, updated])).toMatchObject({ ...changes, session, verified: false, hasDeliveryContext: true });
  });

  test('is nobody’s in events of earlier versions, without token and context', () => {
    expect(replay([{ type: 'webhook_endpoint.registered', data: earlier }])).toMatchObject({
      session: null,
      bearers: [],
      hasDeliveryContext: false,
      personal: null,
    });
  });

  test('carries the new bearer token first, and the one before it until it has run out', () => {
    given([registered])
      .when(rotate)
      .expect({ events: [rotated('b2', 99)] });
    expect(replay([registered, rotated('b2', 99)])).toMatchObject({
      bearers: [
        { credentialId: 'b2', validUntil: null },
        { credentialId: 'b1', validUntil: 99 },
      ],
    });
    expect(replay([registered, rotated('b2', 99), rotated('b3', 120)])).toMatchObject({
      bearers: [
        { credentialId: 'b3', validUntil: null },
        { credentialId: 'b2', validUntil: 120 },
      ],
    });
  });

  test('gets its first bearer token later, too, and its signing secrets are not touched by it', () => {
    const state = replay([{ type: 'webhook_endpoint.registered', data: { ...registration, bearerCredential: null } }, rotated('b2', 99)]);
    expect(state).toMatchObject({
      bearers: [{ credentialId: 'b2', validUntil: null }],
      secrets: [{ credentialId: 's1', validUntil: null }],
    });
  });

  test('has the context that was set last, and no trace of the one before', () => {
    given([registered])
      .when(setContext)
      .expect({ events: [{ type: 'webhook_endpoint.context_set', data: { hasDeliveryContext: false } }] });
    const set = { type: 'webhook_endpoint.context_set', data: { hasDeliveryContext: true } } as const;
    const state = replay([
      { ...registered, personal: new Uint8Array([1]) },
      { ...set, personal: new Uint8Array([2]) },
    ]);
    expect(state).toMatchObject({ hasDeliveryContext: true, personal: { version: 2, sealed: 'Ag==' } });
    expect(
      replay([
        { ...registered, personal: new Uint8Array([1]) },
        { ...set, data: { hasDeliveryContext: false } },
      ]),
    ).toMatchObject({
      hasDeliveryContext: false,
      personal: null,
    });
  });

  test('keeps what its receiver has shown while token and context change', () => {
    expect(
      replay([registered, verified, rotated('b2', 99), { type: 'webhook_endpoint.context_set', data: { hasDeliveryContext: false } }]),
    ).toMatchObject({
      verified: true,
    });
  });

  test.each([rotate, setContext])('that is deleted or was never there refuses to $type', (command) => {
    given([registered, { type: 'webhook_endpoint.deleted', data: {} }])
      .when(command)
      .expect({ events: [], refusal: 'endpoint_deleted' });
    given([]).when(command).expect({ events: [], refusal: 'unknown_endpoint' });
  });
});
