import type { Appended, Decider, DomainEvent, LoadedStream, NewEvent, Placed, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';

/** What a decision adds to its stream, and how the stream learns that it stands. */
export type Write = {
  readonly streamId: StreamId;
  readonly expected: number;
  readonly events: readonly NewEvent[];
  readonly recorded: (at: Pick<Appended, 'position' | 'recordedAt'>) => void;
};

export type Decided<Refusal extends string> = { readonly write: Write; readonly refusal: Refusal | null };

/** Seals personal data for the place that an event will have. */
export type Seal = (place: { readonly streamId: StreamId; readonly version: number }) => Uint8Array;

/** One aggregate, folded in memory from what it records: deciding on it asks nobody. */
export type Stream<State, Command, Refusal extends string> = {
  readonly id: StreamId;
  readonly state: () => State;
  readonly version: () => number;
  /** `seal` gives the first of the events its personal data. */
  readonly decide: (command: Command, seal?: Seal) => Decided<Refusal>;
};

/** A stream that is new, or goes on from what was loaded of it. */
export const openStream = <State, Command, E extends DomainEvent, Refusal extends string>(
  decider: Decider<State, Command, E, Refusal>,
  id: StreamId,
  loaded?: LoadedStream,
): Stream<State, Command, Refusal> => {
  let state = loaded === undefined ? decider.initial : fold(decider, loaded);
  let version = loaded?.version ?? 0;
  return {
    id,
    state: () => state,
    version: () => version,
    decide: (command, seal) => {
      const { events, refusal = null } = decider.decide(command, state);
      const expected = version;
      const personal = seal === undefined || events.length === 0 ? null : seal({ streamId: id, version: expected + 1 });
      const recorded: Write['recorded'] = ({ position, recordedAt }) => {
        events.forEach((event, index) => {
          const placed: Placed<E> = {
            ...event,
            streamId: id,
            version: expected + index + 1,
            position: position + index,
            recordedAt,
            personal: index === 0 ? personal : null,
          };
          state = decider.evolve(state, placed);
        });
        version = expected + events.length;
      };
      const sealed = events.map((event, index) => (index === 0 && personal !== null ? { ...event, personal } : event));
      return { write: { streamId: id, expected, events: sealed, recorded }, refusal };
    },
  };
};
