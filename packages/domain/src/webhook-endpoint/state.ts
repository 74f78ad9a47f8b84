import type { Placed } from '@grantlog/eventsourcing';
import type { AccountId, ClientStreamId, GrantId, Instant, NameId, SessionId } from '../ids.ts';
import { type RotatingSecret, rotateSecret } from '../rotating-secrets.ts';
import { type SealedFact, sealedFact } from '../sealed-fact.ts';
import type {
  EndpointDisabledReason,
  EndpointHeaders,
  EndpointRecovery,
  EndpointRegistrar,
  EndpointSettings,
  WebhookEndpointEvent,
  WebhookSignature,
} from './events.ts';

/** An endpoint that is not deleted. */
export type EndpointRecord = Required<EndpointSettings> & {
  readonly client: ClientStreamId | null;
  readonly session: SessionId | null;
  /** The grants whose events alone it hears; null where it is not narrowed to some. */
  readonly grants: readonly GrantId[] | null;
  readonly registeredBy: EndpointRegistrar;
  /** The place that its deletion gives back. */
  readonly slot: NameId | null;
  readonly signature: WebhookSignature;
  /** Newest first; at most two, of which the second may have run out. */
  readonly secrets: readonly RotatingSecret[];
  /** Bearer tokens for its deliveries, newest first; at most two, of which the second may have run out. */
  readonly bearers: readonly RotatingSecret[];
  readonly headers: EndpointHeaders | null;
  /** What its agent wants echoed, sealed under the endpoint's own key. */
  readonly personal: SealedFact | null;
  readonly hasDeliveryContext: boolean;
  /** Whether the receiver behind the present URL has shown that it wants this. */
  readonly verified: boolean;
  /** Whether its receiver wants nothing for now; what it hears is held. */
  readonly paused: { readonly reason: string | null } | null;
  /** Accounts of which it hears nothing. */
  readonly without: readonly AccountId[];
  /** Since when it had only failed when it was last warned of; null where it never was, or was enabled since. */
  readonly warnedOf: number | null;
  /** The last one that was asked for, carried out or not; null where it was cancelled, or the endpoint disabled since. */
  readonly recovery: (EndpointRecovery & { readonly requestedAt: Instant }) | null;
  readonly registeredAt: Instant;
  readonly firstPosition: number;
};

export type WebhookEndpointState =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & EndpointRecord)
  | ({ readonly status: 'disabled'; readonly reason: EndpointDisabledReason } & EndpointRecord)
  | { readonly status: 'deleted'; readonly firstPosition: number };

export const noEndpoint: WebhookEndpointState = { status: 'none' };

const registered = (event: Placed<Extract<WebhookEndpointEvent, { type: 'webhook_endpoint.registered' }>>): WebhookEndpointState => {
  const {
    secretCredentials,
    bearerCredential = null,
    session = null,
    hasDeliveryContext = false,
    asksForProof,
    ...registration
  } = event.data;
  return {
    status: 'active',
    ratePerSecond: null,
    skipSuperseded: false,
    signals: null,
    grants: null,
    registeredBy: 'operator',
    slot: null,
    headers: null,
    ...registration,
    secrets: secretCredentials.map((credentialId) => ({ credentialId, validUntil: null })),
    session,
    bearers: bearerCredential === null ? [] : [{ credentialId: bearerCredential, validUntil: null }],
    personal: sealedFact(event),
    hasDeliveryContext,
    verified: asksForProof !== true && session === null,
    paused: null,
    without: [],
    warnedOf: null,
    recovery: null,
    registeredAt: event.recordedAt,
    firstPosition: event.position,
  };
};

export const evolveWebhookEndpoint = (state: WebhookEndpointState, event: Placed<WebhookEndpointEvent>): WebhookEndpointState => {
  if (state.status === 'none') return event.type === 'webhook_endpoint.registered' ? registered(event) : state;
  if (state.status === 'deleted') return state;
  switch (event.type) {
    case 'webhook_endpoint.registered':
      return state;
    case 'webhook_endpoint.verified':
      return { ...state, verified: true };
    case 'webhook_endpoint.tested':
      return state;
    case 'webhook_endpoint.failing':
      return { ...state, warnedOf: event.data.failingSince };
    case 'webhook_endpoint.updated': {
      const { url = state.url } = event.data;
      if (url === state.url) return { ...state, ...event.data };
      // Another URL is another receiver: it has shown nothing yet, and gets nothing that was given for the one before.
      return { ...state, ...event.data, verified: false, bearers: [], headers: null };
    }
    case 'webhook_endpoint.secret_rotated':
      return { ...state, secrets: rotateSecret(state.secrets, event.data) };
    case 'webhook_endpoint.bearer_rotated':
      return { ...state, bearers: rotateSecret(state.bearers, event.data) };
    case 'webhook_endpoint.headers_set': {
      const { credentialId, names } = event.data;
      return { ...state, headers: credentialId === null ? null : { credentialId, names } };
    }
    case 'webhook_endpoint.context_set':
      return { ...state, personal: sealedFact(event), hasDeliveryContext: event.data.hasDeliveryContext };
    case 'webhook_endpoint.disabled':
      return { ...state, status: 'disabled', reason: event.data.reason, recovery: null };
    case 'webhook_endpoint.enabled': {
      if (state.status === 'active') return state;
      const { reason: _, ...endpoint } = state;
      return { ...endpoint, status: 'active', warnedOf: null };
    }
    case 'webhook_endpoint.paused':
      return { ...state, paused: event.data };
    case 'webhook_endpoint.resumed':
      return { ...state, paused: null };
    case 'webhook_endpoint.subject_removed':
      return { ...state, without: [...new Set([...state.without, event.data.account])] };
    case 'webhook_endpoint.subject_added':
      return { ...state, without: state.without.filter((account) => account !== event.data.account) };
    case 'webhook_endpoint.recovery_requested':
      return { ...state, recovery: { ...event.data, requestedAt: event.recordedAt } };
    case 'webhook_endpoint.recovery_cancelled':
      return { ...state, recovery: null };
    case 'webhook_endpoint.deleted':
      return { status: 'deleted', firstPosition: state.firstPosition };
  }
};
