import type { CommitId, JsonValue, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AggregateFold, aggregateOf, foldVersion, type GrantlogEvent } from '../src/index.ts';
import { aggregateNames, eventData, eventOf, typesOf } from './arbitrary-events.ts';

const foldNamed = (name: string): AggregateFold => {
  const fold = aggregateOf(`${name}.`);
  if (fold === null) throw new Error(`no fold for ${name}`);
  return fold;
};

/** Places events as the log would; numbers start high, so that their own growth in digits does not show in a state's size. */
const placed = (events: readonly GrantlogEvent[]): readonly RecordedEvent[] =>
  events.map((event, index) => ({
    type: event.type,
    // As `jsonb` gives it back: plain objects, nothing undefined.
    data: JSON.parse(JSON.stringify(event.data)) as object,
    platform: 'acme' as PlatformId,
    streamId: '01890000-0000-7000-8000-000000000001' as StreamId,
    version: 1_000_000 + index,
    position: 5_000_000 + index,
    recordedAt: 1_700_000_000_000 + index,
    commitId: '01890000-0000-7000-8000-0000000000ff' as CommitId,
    schemaVersion: 1,
    personal: Uint8Array.of(1, 2, 3),
    actor: { kind: 'system', id: 'test' },
    correlationId: 'c',
    causationId: null,
  }));

const foldAll = (fold: AggregateFold, events: readonly RecordedEvent[], from: JsonValue = fold.initial): JsonValue =>
  events.reduce(fold.evolve, from);
const throughJson = (state: JsonValue): JsonValue => JSON.parse(JSON.stringify(state)) as JsonValue;

describe('the registry of folds', () => {
  test('knows the aggregate of every type of event', () => {
    for (const type of Object.keys(eventData)) expect(aggregateOf(type)?.name).toBe(type.split('.')[0]);
    expect(aggregateNames).toHaveLength(10);
  });

  test.each(['', 'audits.read', 'sign', 'platforms.configured', 'constructor.x', '__proto__.x'])('knows no aggregate of %j', (type) => {
    expect(aggregateOf(type)).toBeNull();
  });

  test('is at fold version 11', () => {
    expect(foldVersion).toBe(11);
  });
});

describe.each(aggregateNames)('the fold of %s', (name) => {
  const fold = foldNamed(name);
  const anyEvents = fc.array(eventOf(typesOf(name)), { maxLength: 60 });

  test('comes to the same state in one piece as in two halves with a snapshot between them', () => {
    fc.assert(
      fc.property(anyEvents, fc.nat(60), (events, cut) => {
        const all = placed(events);
        const whole = foldAll(fold, all);
        expect(foldAll(fold, all.slice(cut), throughJson(foldAll(fold, all.slice(0, cut))))).toStrictEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('is plain JSON at every step, and leaves the state before it as it was', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let state = fold.initial;
        for (const event of placed(events)) {
          const before = JSON.stringify(state);
          const next = fold.evolve(state, event);
          expect(JSON.stringify(state)).toBe(before);
          expect(throughJson(next)).toStrictEqual(next);
          state = next;
        }
      }),
    );
  });
});

// The key ring grows with each new key, whose number its decider bounds: key-ring.test.ts.
describe.each(aggregateNames.filter((name) => name !== 'signing_key'))('the fold of %s', (name) => {
  test('is after 10,000 events no larger than after some hundred', () => {
    const fold = foldNamed(name);
    // Ends and removals are left out, or there would be little to grow.
    const endless = typesOf(name).filter(
      (type) => !/\.(erased|deleted|ended|failed|expired|revoked|denied|code_replayed|refresh_reused|mfa_removed)$/.test(type),
    );
    const sample = (types: typeof endless, numRuns: number) => fc.sample(eventOf(types), { numRuns, seed: 7 });
    const some = [...sample(typesOf(name).slice(0, 1), 1), ...sample(endless, 499)];
    const largest = (rounds: number): number => {
      let state = fold.initial;
      const sizes = placed(Array.from({ length: rounds }, () => some).flat()).map((event) => {
        state = fold.evolve(state, event);
        return JSON.stringify(state).length;
      });
      return Math.max(...sizes);
    };
    expect(largest(1)).toBeGreaterThan(JSON.stringify(fold.initial).length);
    expect(largest(20)).toBe(largest(1));
  });
});
