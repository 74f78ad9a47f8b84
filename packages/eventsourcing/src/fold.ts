import type { Decider, Placed } from './decider.ts';
import type { DomainEvent } from './event.ts';
import type { LoadedStream } from './event-log.ts';

/** Folds a loaded stream (snapshot, then tail) with its aggregate's own `evolve`. */
export const fold = <State, E extends DomainEvent>(
  decider: Pick<Decider<State, never, E, string>, 'initial' | 'evolve'>,
  stream: LoadedStream,
): State => {
  // The snapshot was written by this same `evolve` under the same fold version, and its MAC was checked at load.
  let state = stream.snapshot === null ? decider.initial : (stream.snapshot.state as State);
  // The log holds only what deciders of this aggregate recorded in this stream.
  for (const event of stream.events) state = decider.evolve(state, event as unknown as Placed<E>);
  return state;
};
