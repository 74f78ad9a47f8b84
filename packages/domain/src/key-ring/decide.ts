import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import type { Instant } from '../ids.ts';
import type { KeyDescription, KeyId, KeyRingEvent, KeyUse, RetirementReason } from './events.ts';
import { activeKey, evolveKeyRing, findKey, type KeyRingState, noKeys, type RingKey } from './state.ts';

/** Keys held at once. Reached only when nothing retires them; it bounds the JWKS and the folded state. */
export const keyRingLimit = 64;

/** What fits the two bytes that a token has for its key id; 0 is kept free. */
export const highestTokenKeyId = 0xffff;

export type KeyRingCommand =
  | { readonly type: 'createKey'; readonly key: KeyDescription }
  | {
      readonly type: 'activateKey';
      readonly use: KeyUse;
      readonly keyId: KeyId;
      readonly now: Instant;
      /** How long every node and every JWKS cache may take to learn of a key. */
      readonly propagationSeconds: number;
      /** The longest life of anything that the superseded key has made. */
      readonly longestLifetimeSeconds: number;
    }
  | {
      readonly type: 'retireKey';
      readonly use: KeyUse;
      readonly keyId: KeyId;
      readonly now: Instant;
      /** `compromised` does not wait for what the key has made to run out. */
      readonly reason: RetirementReason;
    };

export type KeyRingRefusal =
  | 'key_id_taken'
  | 'key_id_out_of_range'
  | 'too_many_keys'
  | 'unknown_key'
  | 'key_superseded'
  | 'not_propagated'
  | 'key_active'
  | 'still_verifying';

type Outcome = Decision<KeyRingEvent, KeyRingRefusal>;
type CommandOf<Type extends KeyRingCommand['type']> = Extract<KeyRingCommand, { type: Type }>;

/** The next token key's id: ids count up and never come back. Null when all are used. */
export const nextTokenKeyId = (state: KeyRingState): number | null => {
  const next = state.status === 'none' ? 1 : state.lastTokenKeyId + 1;
  return next > highestTokenKeyId ? null : next;
};

const createKey = ({ key }: CommandOf<'createKey'>, state: KeyRingState): Outcome => {
  if (findKey(state, key) !== undefined) return refuse('key_id_taken');
  if (key.use === 'token') {
    if (!Number.isInteger(key.keyId) || key.keyId < 1 || key.keyId > highestTokenKeyId) return refuse('key_id_out_of_range');
    if (state.status === 'ready' && key.keyId <= state.lastTokenKeyId) return refuse('key_id_taken');
  }
  if (state.status === 'ready' && state.keys.length >= keyRingLimit) return refuse('too_many_keys');
  return record({ type: 'signing_key.created', data: key });
};

const activate = (command: CommandOf<'activateKey'>, key: RingKey, state: KeyRingState): Outcome => {
  const { use, keyId, alg } = key;
  switch (key.status) {
    case 'active':
      return record();
    // Going back would shorten or lengthen lives already promised; make a new key.
    case 'verifying':
      return refuse('key_superseded');
    case 'pending': {
      const first = activeKey(state, { use, alg }) === undefined;
      // A clock that went backwards gives a negative age, which waits.
      const propagated = command.now - key.createdAt >= command.propagationSeconds * 1000;
      if (!first && !propagated) return refuse('not_propagated');
      // A node that has not heard of this activation goes on making with the predecessor for that long.
      const lastUse = Math.ceil(command.now / 1000) + command.propagationSeconds;
      const previousVerifiesUntil = first ? null : lastUse + command.longestLifetimeSeconds;
      return record({ type: 'signing_key.activated', data: { keyId, use, alg, previousVerifiesUntil } });
    }
  }
};

const retire = (command: CommandOf<'retireKey'>, key: RingKey): Outcome => {
  const { use, keyId } = key;
  const retired = record<KeyRingEvent>({ type: 'signing_key.retired', data: { keyId, use, reason: command.reason } });
  switch (key.status) {
    case 'active':
      return refuse('key_active');
    case 'pending':
      return retired;
    case 'verifying':
      return command.reason === 'compromised' || command.now >= key.verifyUntil * 1000 ? retired : refuse('still_verifying');
  }
};

const decide = (command: KeyRingCommand, state: KeyRingState): Outcome => {
  if (command.type === 'createKey') return createKey(command, state);
  const key = findKey(state, command);
  if (key === undefined) return refuse('unknown_key');
  switch (command.type) {
    case 'activateKey':
      return activate(command, key, state);
    case 'retireKey':
      return retire(command, key);
  }
};

/** A platform's token and signing keys: at most one active for each use and algorithm. Its stream is `keyRingStream`. */
export const keyRingDecider: Decider<KeyRingState, KeyRingCommand, KeyRingEvent, KeyRingRefusal> = {
  initial: noKeys,
  decide,
  evolve: evolveKeyRing,
};
