import type { GrantlogEvent } from '@grantlog/domain';
import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import type { Transaction } from '@grantlog/postgres';

/** The events of a union whose type is `Type`, as they stand in the log. */
type EventOf<Type extends GrantlogEvent['type']> = RecordedEvent<Extract<GrantlogEvent, { readonly type: Type }>>;

/** What an event means to a projection: one answer for every type there is, so that a new type does not compile until it has one. */
export type Reducers<Change> = {
  readonly [Type in GrantlogEvent['type']]: ((event: EventOf<Type>) => Change) | 'ignored';
};

/** Where changes are written: one generation of one platform's rows. */
export type Target = { readonly platform: PlatformId; readonly generation: number };

/** A table that is a function of the log. */
export type Projection = {
  readonly name: string;
  /** Raise it with any change to what the rows hold: the next start then builds a new generation beside the live one. */
  readonly version: number;
  /** Most events in one transaction. Default 500. */
  readonly batchLimit?: number;
  /** Takes in events in their order. One already contained in a row, by its stream's version, changes nothing. */
  readonly consume: (client: Transaction, target: Target, events: readonly RecordedEvent[]) => Promise<void>;
  /** Deletes at most `limit` rows of generations below `generation`; says how many. */
  readonly deleteBelow: (client: Transaction, options: Target & { readonly limit: number }) => Promise<number>;
};

/** Makes a projection of reducers and of what writes their changes. */
export const defineProjection = <Change>(
  definition: Omit<Projection, 'consume'> & {
    readonly on: Reducers<Change>;
    readonly apply: (client: Transaction, target: Target, changes: readonly Change[]) => Promise<void>;
  },
): Projection => {
  const { on, apply, ...rest } = definition;
  return { ...rest, consume: (client, target, events) => apply(client, target, changesOf(on, events)) };
};

/** The changes that events mean. A type that the domain of this process does not know is ignored: older code reads on. */
const changesOf = <Change>(on: Reducers<Change>, events: readonly RecordedEvent[]): readonly Change[] =>
  events.flatMap((event) => {
    // The key is the event's own type, so the reducer found under it takes exactly such events.
    const reducer = (on as Readonly<Record<string, ((event: RecordedEvent) => Change) | 'ignored' | undefined>>)[event.type];
    return reducer === undefined || reducer === 'ignored' ? [] : [reducer(event)];
  });
