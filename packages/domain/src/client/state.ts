import type { Placed } from '@grantlog/eventsourcing';
import type { ClientId } from '../ids.ts';
import { type RotatingSecret, rotateSecret } from '../rotating-secrets.ts';
import type { ClientEvent, ClientKind, ClientOrigin, ClientSettings } from './events.ts';

/** A client that is not deleted. */
export type ClientRecord = ClientSettings & {
  readonly clientId: ClientId;
  readonly kind: ClientKind;
  readonly how: ClientOrigin;
  readonly approval: 'pending' | 'approved' | 'rejected';
  /** Newest first; at most two, of which the second may have run out. */
  readonly secrets: readonly RotatingSecret[];
  readonly tokenNonce: string | null;
  readonly firstPosition: number;
  /** Position of the latest `client.grants_revoked`; 0 when there was none. */
  readonly revokedBefore: number;
};

export type ClientState =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & ClientRecord)
  | ({ readonly status: 'disabled'; readonly reason: string } & ClientRecord)
  | { readonly status: 'deleted'; readonly clientId: ClientId; readonly firstPosition: number; readonly revokedBefore: number };

export const noClient: ClientState = { status: 'none' };

const registered = (event: Placed<Extract<ClientEvent, { type: 'client.registered' }>>): ClientState => {
  const { secretCredential, ...registration } = event.data;
  return {
    status: 'active',
    ...registration,
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
      return { ...state, ...event.data };
    case 'client.approved':
      return { ...state, approval: 'approved' };
    case 'client.rejected':
      return { ...state, approval: 'rejected' };
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
    case 'client.deleted': {
      const { clientId, firstPosition, revokedBefore } = state;
      return { status: 'deleted', clientId, firstPosition, revokedBefore };
    }
  }
};
