import type { Placed } from '@grantlog/eventsourcing';
import type { AccountId, ClientId, Instant } from '../ids.ts';
import { type RotatingSecret, rotateSecret } from '../rotating-secrets.ts';
import type { ClientDeletion, ClientEvent, ClientKind, ClientOrigin, ClientSettings, DeveloperSettings } from './events.ts';
import { extraDefaults } from './events.ts';

/** A change of an approved client that waits for an operator; until then the client works on as it was. */
export type ProposedChange = {
  readonly changes: Partial<DeveloperSettings>;
  /** Position of its proposal. */
  readonly position: number;
};

/** A client that is not deleted. */
export type ClientRecord = ClientSettings & {
  readonly clientId: ClientId;
  readonly kind: ClientKind;
  readonly how: ClientOrigin;
  /** The developer's account that registered it; null for one of an operator. */
  readonly owner: AccountId | null;
  readonly approval: 'pending' | 'approved' | 'rejected';
  readonly proposed: ProposedChange | null;
  /** Why the client, or the latest change that was proposed, was refused; null once that is settled otherwise. */
  readonly rejection: string | null;
  /** Position of the latest event that changed what an approval would approve. */
  readonly reviewPosition: number;
  /** Newest first; at most two, of which the second may have run out. */
  readonly secrets: readonly RotatingSecret[];
  readonly tokenNonce: string | null;
  /** Milliseconds since the epoch. */
  readonly registeredAt: Instant;
  /** Whether a person has granted it something; known of clients that registered themselves. */
  readonly used: boolean;
  readonly firstPosition: number;
  /** Position of the latest `client.grants_revoked`; 0 when there was none. */
  readonly revokedBefore: number;
};

export type ClientState =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & ClientRecord)
  | ({ readonly status: 'disabled'; readonly reason: string } & ClientRecord)
  | {
      readonly status: 'deleted';
      readonly clientId: ClientId;
      readonly how: ClientOrigin;
      /** Null where nobody said why. */
      readonly reason: ClientDeletion | null;
      readonly firstPosition: number;
      readonly revokedBefore: number;
    };

export const noClient: ClientState = { status: 'none' };

const registered = (event: Placed<Extract<ClientEvent, { type: 'client.registered' }>>): ClientState => {
  const { secretCredential, ...registration } = event.data;
  return {
    status: 'active',
    ...extraDefaults,
    ...registration,
    registeredAt: event.recordedAt,
    used: false,
    owner: registration.owner ?? null,
    proposed: null,
    rejection: null,
    reviewPosition: event.position,
    secrets: secretCredential === null ? [] : [{ credentialId: secretCredential, validUntil: null }],
    firstPosition: event.position,
    revokedBefore: 0,
  };
};

export const evolveClient = (state: ClientState, event: Placed<ClientEvent>): ClientState => {
  if (state.status === 'none') return event.type === 'client.registered' ? registered(event) : state;
  if (state.status === 'deleted') return state;
  switch (event.type) {
    case 'client.registered':
      return state;
    case 'client.updated':
      return { ...state, ...event.data, reviewPosition: event.position };
    // It leaves `reviewPosition` as it is: whoever approves twice asks for what already is.
    case 'client.approved':
      return { ...state, ...state.proposed?.changes, approval: 'approved', proposed: null, rejection: null };
    case 'client.rejected':
      return { ...state, approval: 'rejected', rejection: event.data.reason, reviewPosition: event.position };
    case 'client.resubmitted':
      return { ...state, approval: 'pending', rejection: null, reviewPosition: event.position };
    case 'client.change_proposed': {
      const { position } = event;
      return { ...state, proposed: { changes: event.data.changes, position }, rejection: null, reviewPosition: position };
    }
    case 'client.change_withdrawn':
      return { ...state, proposed: null, reviewPosition: event.position };
    case 'client.change_rejected':
      return { ...state, proposed: null, rejection: event.data.reason, reviewPosition: event.position };
    case 'client.secret_rotated':
      return { ...state, secrets: rotateSecret(state.secrets, event.data) };
    case 'client.disabled':
      return { ...state, status: 'disabled', reason: event.data.reason };
    case 'client.enabled': {
      if (state.status === 'active') return state;
      const { reason: _, ...client } = state;
      return { ...client, status: 'active' };
    }
    case 'client.grants_revoked':
      return { ...state, revokedBefore: event.position };
    case 'client.used':
      return { ...state, used: true };
    case 'client.deleted': {
      const { clientId, how, firstPosition, revokedBefore } = state;
      return { status: 'deleted', clientId, how, reason: event.data.reason ?? null, firstPosition, revokedBefore };
    }
  }
};
