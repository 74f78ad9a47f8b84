import { deepStrictEqual } from 'node:assert/strict';
import type { Decider, Decision } from './decider.ts';
import type { DomainEvent } from './event.ts';
import type { StreamId } from './ids.ts';

/**
 * Given/when/then for a decider, without mocks: past events, a command, the expected decision.
 * Given events may carry their own `recordedAt` and `position`; by default both count up from 1.
 */
export const specification = <State, Command, E extends DomainEvent, Refusal extends string>(
  decider: Decider<State, Command, E, Refusal>,
) => {
  type Given = E & { readonly recordedAt?: number; readonly position?: number; readonly personal?: Uint8Array };
  const replay = (events: readonly Given[]): State =>
    events.reduce<State>(
      (state, event, index) =>
        decider.evolve(state, {
          streamId: '01890000-0000-7000-8000-000000000001' as StreamId,
          version: index + 1,
          position: index + 1,
          recordedAt: index + 1,
          personal: null,
          ...event,
        }),
      decider.initial,
    );
  return {
    replay,
    given: (events: readonly Given[]) => ({
      when: (command: Command) => ({
        // Not `then`: an object with that member would be taken for a promise.
        expect: (expected: Decision<E, Refusal>): void => deepStrictEqual(decider.decide(command, replay(events)), expected),
        decision: (): Decision<E, Refusal> => decider.decide(command, replay(events)),
      }),
    }),
  };
};
