import { type StreamId, specification } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  activeKey,
  type KeyDescription,
  type KeyRingCommand,
  type KeyRingEvent,
  keyRingDecider,
  keyRingLimit,
  nextTokenKeyId,
} from '../src/index.ts';

const tokenKey = (keyId: number): KeyDescription => ({ use: 'token', keyId, alg: 'HS256', credentialId: `c-${keyId}`, publicJwk: null });
const signKey = (keyId: string, alg: 'RS256' | 'EdDSA' = 'RS256'): KeyDescription => ({
  use: 'sign',
  keyId,
  alg,
  credentialId: `c-${keyId}`,
  publicJwk: { kty: 'RSA', kid: keyId },
});
const created = (key: KeyDescription, recordedAt = 0): KeyRingEvent & { recordedAt: number } => ({
  type: 'signing_key.created',
  data: key,
  recordedAt,
});
const activated = (key: KeyDescription, previousVerifiesUntil: number | null = null): KeyRingEvent => ({
  type: 'signing_key.activated',
  data: { keyId: key.keyId, use: key.use, alg: key.alg, previousVerifiesUntil },
});
const retired = (key: KeyDescription, reason: 'routine' | 'compromised' = 'routine'): KeyRingEvent => ({
  type: 'signing_key.retired',
  data: { keyId: key.keyId, use: key.use, reason },
});
const activate = (key: KeyDescription, now: number): KeyRingCommand => ({
  type: 'activateKey',
  use: key.use,
  keyId: key.keyId,
  now,
  propagationSeconds: 60,
  longestLifetimeSeconds: 3600,
});
const retire = (key: KeyDescription, now: number, reason: 'routine' | 'compromised' = 'routine'): KeyRingCommand => ({
  type: 'retireKey',
  use: key.use,
  keyId: key.keyId,
  now,
  reason,
});

const [one, two] = [tokenKey(1), tokenKey(2)];
const { given, replay } = specification(keyRingDecider);

describe('creating a key', () => {
  test('records it without its secret half', () => {
    given([])
      .when({ type: 'createKey', key: signKey('k1') })
      .expect({ events: [{ type: 'signing_key.created', data: signKey('k1') }] });
  });

  test('refuses an id that the ring holds', () => {
    given([created(signKey('k1'))])
      .when({ type: 'createKey', key: signKey('k1') })
      .expect({ events: [], refusal: 'key_id_taken' });
  });

  test('refuses a token key id that was ever given, also after its key is retired', () => {
    given([created(two), retired(two)])
      .when({ type: 'createKey', key: two })
      .expect({ events: [], refusal: 'key_id_taken' });
    given([created(two), retired(two)])
      .when({ type: 'createKey', key: one })
      .expect({ events: [], refusal: 'key_id_taken' });
    expect(nextTokenKeyId(replay([created(two), retired(two)]))).toBe(3);
    expect(nextTokenKeyId(replay([]))).toBe(1);
    expect(nextTokenKeyId(replay([created(tokenKey(65_535))]))).toBeNull();
  });

  test.each([0, -1, 1.5, 65_536, Number.NaN])('refuses the token key id %d, which two bytes cannot say', (keyId) => {
    given([])
      .when({ type: 'createKey', key: tokenKey(keyId) })
      .expect({ events: [], refusal: 'key_id_out_of_range' });
  });

  test('refuses more keys than the ring holds', () => {
    const full = Array.from({ length: keyRingLimit }, (_, index) => created(signKey(`k${index}`)));
    given(full)
      .when({ type: 'createKey', key: signKey('more') })
      .expect({ events: [], refusal: 'too_many_keys' });
    given(full.slice(1))
      .when({ type: 'createKey', key: signKey('more') })
      .expect({ events: [{ type: 'signing_key.created', data: signKey('more') }] });
  });
});

describe('activating a key', () => {
  test('needs no wait when it is the first of its use and algorithm', () => {
    given([created(one, 1000)])
      .when(activate(one, 1000))
      .expect({ events: [activated(one)] });
    given([created(signKey('r')), activated(signKey('r')), created(signKey('e', 'EdDSA'), 1000)])
      .when(activate(signKey('e', 'EdDSA'), 1000))
      .expect({ events: [activated(signKey('e', 'EdDSA'))] });
  });

  test('waits until every node has heard of it', () => {
    const past = [created(one), activated(one), created(two, 10_000)];
    given(past).when(activate(two, 69_999)).expect({ events: [], refusal: 'not_propagated' });
    // The predecessor may make tokens for another 60 s somewhere, and they live for an hour.
    given(past)
      .when(activate(two, 70_000))
      .expect({ events: [activated(two, 70 + 60 + 3600)] });
  });

  test('waits when the clock went backwards', () => {
    given([created(one), activated(one), created(two, 100_000)])
      .when(activate(two, 0))
      .expect({ events: [], refusal: 'not_propagated' });
  });

  test('supersedes the active key of the same use and algorithm alone', () => {
    const other = signKey('e', 'EdDSA');
    const state = replay([created(one), activated(one), created(other), activated(other), created(two), activated(two, 500)]);
    expect(state).toMatchObject({
      keys: [
        { keyId: 1, status: 'verifying', verifyUntil: 500, credentialId: 'c-1', createdAt: 0 },
        { keyId: 'e', status: 'active', publicJwk: { kid: 'e' } },
        { keyId: 2, status: 'active' },
      ],
    });
    expect(activeKey(state, { use: 'token', alg: 'HS256' })).toMatchObject({ keyId: 2 });
  });

  test('records nothing for the active key and never goes back to a superseded one', () => {
    const past = [created(one), activated(one), created(two), activated(two, 500)];
    given(past).when(activate(two, 1e9)).expect({ events: [] });
    given(past).when(activate(one, 1e9)).expect({ events: [], refusal: 'key_superseded' });
  });

  test('refuses a key that the ring does not hold', () => {
    given([]).when(activate(one, 0)).expect({ events: [], refusal: 'unknown_key' });
    given([created(one), retired(one)])
      .when(activate(one, 0))
      .expect({ events: [], refusal: 'unknown_key' });
  });
});

describe('retiring a key', () => {
  const past = [created(one), activated(one), created(two), activated(two, 500)];

  test('never takes the active one, compromised or not', () => {
    given(past).when(retire(two, 1e9)).expect({ events: [], refusal: 'key_active' });
    given(past)
      .when(retire(two, 1e9, 'compromised'))
      .expect({ events: [], refusal: 'key_active' });
  });

  test('waits until nothing that it made can still live', () => {
    given(past).when(retire(one, 499_999)).expect({ events: [], refusal: 'still_verifying' });
    given(past)
      .when(retire(one, 500_000))
      .expect({ events: [retired(one)] });
  });

  test('does not wait when the key is compromised', () => {
    given(past)
      .when(retire(one, 0, 'compromised'))
      .expect({ events: [retired(one, 'compromised')] });
  });

  test('drops the key from the state', () => {
    expect(replay([...past, retired(one)])).toMatchObject({ keys: [{ keyId: 2 }], lastTokenKeyId: 2, firstPosition: 1 });
    given([...past, retired(one)])
      .when(retire(one, 0))
      .expect({ events: [], refusal: 'unknown_key' });
    given([created(one)])
      .when(retire(one, 0))
      .expect({ events: [retired(one)] });
  });
});

test('whatever is asked of a ring, at most one key of a use and algorithm is active, and once one was, one stays', () => {
  const key = fc.oneof(
    fc.integer({ min: 0, max: 6 }).map(tokenKey),
    fc.constantFrom('a', 'b', 'c').map((kid) => signKey(kid)),
  );
  const command: fc.Arbitrary<KeyRingCommand> = fc.oneof(
    key.map((description) => ({ type: 'createKey' as const, key: description })),
    fc.tuple(key, fc.nat(10_000_000)).map(([description, now]) => activate(description, now)),
    fc
      .tuple(key, fc.nat(10_000_000), fc.constantFrom('routine' as const, 'compromised' as const))
      .map(([description, now, reason]) => retire(description, now, reason)),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const events: KeyRingEvent[] = [];
      let everActive = false;
      for (const next of commands) {
        events.push(...keyRingDecider.decide(next, replay(events)).events);
        const state = replay(events);
        const active = state.status === 'none' ? [] : state.keys.filter(({ use, status }) => use === 'token' && status === 'active');
        expect(active.length).toBe(everActive ? 1 : Math.min(active.length, 1));
        everActive ||= active.length === 1;
      }
    }),
  );
});

test('a ring that is rotated 2,500 times is the size of one rotated ten times', () => {
  const sizeAfter = (rotations: number): number => {
    const lifetimeMs = 3_660_000;
    let state = keyRingDecider.initial;
    let position = 1_000_000;
    const run = (command: KeyRingCommand, now: number): void => {
      const { events, refusal } = keyRingDecider.decide(command, state) as { events: readonly KeyRingEvent[]; refusal?: string };
      expect(refusal).toBeUndefined();
      for (const event of events) {
        position += 1;
        const streamId = '00000000-0002-8000-8000-000000000000' as StreamId;
        state = keyRingDecider.evolve(state, { ...event, streamId, version: position, position, recordedAt: now, personal: null });
      }
    };
    for (let rotation = 0; rotation < rotations; rotation += 1) {
      const [keyId, now] = [10_000 + rotation, 1_700_000_000_000 + rotation * 2 * lifetimeMs];
      run({ type: 'createKey', key: tokenKey(keyId) }, now);
      run(activate(tokenKey(keyId), now + lifetimeMs), now + lifetimeMs);
      if (rotation > 0) run(retire(tokenKey(keyId - 1), now + 2 * lifetimeMs), now + 2 * lifetimeMs);
    }
    return JSON.stringify(state).length;
  };
  expect(sizeAfter(2500)).toBe(sizeAfter(10));
});

test('the key of names is made once, and is neither superseded nor retired', () => {
  const nameKey: KeyDescription = { use: 'name', keyId: 'name', alg: 'HS256', credentialId: 'c-name', publicJwk: null };
  const past = [created(nameKey), activated(nameKey), created(one), activated(one)];
  given(past).when({ type: 'createKey', key: nameKey }).expect({ events: [], refusal: 'key_id_taken' });
  given(past)
    .when(retire(nameKey, 1e15, 'compromised'))
    .expect({ events: [], refusal: 'key_active' });
  // Token keys share its algorithm, not its use.
  expect(activeKey(replay(past), { use: 'name', alg: 'HS256' })).toMatchObject({ credentialId: 'c-name' });
});
