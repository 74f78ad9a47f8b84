import type { Placed } from '@grantlog/eventsourcing';
import type { Instant } from '../ids.ts';
import type { KeyAlgorithm, KeyDescription, KeyId, KeyRingEvent, KeyUse } from './events.ts';

/**
 * Where a key is in its life. `pending`: published, makes nothing yet. `active`: makes and verifies.
 * `verifying`: superseded, still verifies until `verifyUntil` (whole seconds since the epoch). Retired keys are gone.
 */
export type KeyStage =
  | { readonly status: 'pending' }
  | { readonly status: 'active' }
  | { readonly status: 'verifying'; readonly verifyUntil: number };

export type RingKey = KeyDescription & KeyStage & { readonly createdAt: Instant };

export type KeyRingState =
  | { readonly status: 'none' }
  | {
      readonly status: 'ready';
      /** In the order of their creation. */
      readonly keys: readonly RingKey[];
      /** The highest token key id ever given, so that a retired one never comes back with another key behind it. */
      readonly lastTokenKeyId: number;
      readonly firstPosition: number;
    };

export const noKeys: KeyRingState = { status: 'none' };

/** The key of that use and id that the ring still holds. */
export const findKey = (state: KeyRingState, name: { readonly use: KeyUse; readonly keyId: KeyId }): RingKey | undefined =>
  state.status === 'none' ? undefined : state.keys.find((key) => key.use === name.use && key.keyId === name.keyId);

/** The one key that makes new tokens or signatures of this use and algorithm. */
export const activeKey = (state: KeyRingState, of: { readonly use: KeyUse; readonly alg: KeyAlgorithm }): RingKey | undefined =>
  state.status === 'none' ? undefined : state.keys.find((key) => key.use === of.use && key.alg === of.alg && key.status === 'active');

const created = (state: KeyRingState, event: Placed<Extract<KeyRingEvent, { type: 'signing_key.created' }>>): KeyRingState => {
  const key: RingKey = { ...event.data, status: 'pending', createdAt: event.recordedAt };
  const ring = state.status === 'none' ? { keys: [], lastTokenKeyId: 0, firstPosition: event.position } : state;
  return {
    status: 'ready',
    keys: [...ring.keys, key],
    lastTokenKeyId: key.use === 'token' ? Math.max(ring.lastTokenKeyId, key.keyId) : ring.lastTokenKeyId,
    firstPosition: ring.firstPosition,
  };
};

export const evolveKeyRing = (state: KeyRingState, event: Placed<KeyRingEvent>): KeyRingState => {
  if (event.type === 'signing_key.created') return created(state, event);
  if (state.status === 'none') return state;
  switch (event.type) {
    case 'signing_key.activated': {
      const { use, keyId, alg, previousVerifiesUntil } = event.data;
      const keys = state.keys.map((key): RingKey => {
        if (key.use !== use || key.alg !== alg) return key;
        if (key.keyId === keyId) return { ...describe(key), status: 'active', createdAt: key.createdAt };
        if (key.status !== 'active') return key;
        return { ...describe(key), status: 'verifying', verifyUntil: previousVerifiesUntil ?? 0, createdAt: key.createdAt };
      });
      return { ...state, keys };
    }
    case 'signing_key.retired': {
      const { use, keyId } = event.data;
      return { ...state, keys: state.keys.filter((key) => key.use !== use || key.keyId !== keyId) };
    }
  }
};

const describe = (key: RingKey): KeyDescription => {
  const { credentialId } = key;
  switch (key.use) {
    case 'sign':
      return { use: 'sign', keyId: key.keyId, alg: key.alg, credentialId, publicJwk: key.publicJwk };
    case 'token':
      return { use: 'token', keyId: key.keyId, alg: key.alg, credentialId, publicJwk: null };
    case 'name':
      return { use: 'name', keyId: key.keyId, alg: key.alg, credentialId, publicJwk: null };
    case 'log':
      return { use: 'log', keyId: key.keyId, alg: key.alg, credentialId, publicJwk: key.publicJwk };
  }
};
