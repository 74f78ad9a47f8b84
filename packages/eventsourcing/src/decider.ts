import type { DomainEvent, Placement } from './event.ts';

/** What a decider answers: facts to record and, independently of them, perhaps a refusal of the caller. */
export type Decision<E extends DomainEvent, Refusal extends string = never> = {
  readonly events: readonly E[];
  readonly refusal?: Refusal;
};

/** An event as `evolve` sees it: the fact, where it stands, and its personal data still sealed. */
export type Placed<E extends DomainEvent> = E & Placement & { readonly personal: Uint8Array | null };

/** A pure aggregate. Time, ids and randomness arrive in the command. */
export type Decider<State, Command, E extends DomainEvent, Refusal extends string> = {
  readonly initial: State;
  readonly decide: (command: Command, state: State) => Decision<E, Refusal>;
  readonly evolve: (state: State, event: Placed<E>) => State;
};

export const record = <E extends DomainEvent>(...events: readonly E[]): { readonly events: readonly E[] } => ({ events });

export const refuse = <R extends string, E extends DomainEvent = never>(
  refusal: R,
  ...events: readonly E[]
): { readonly events: readonly E[]; readonly refusal: R } => ({ events, refusal });
