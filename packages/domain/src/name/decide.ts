import { type Decider, type Decision, record, refuse, type StreamId } from '@grantlog/eventsourcing';
import type { NameEvent, NameKind } from './events.ts';
import { evolveName, type NameState, noName } from './state.ts';

export type NameCommand =
  | { readonly type: 'claim'; readonly kind: NameKind; readonly owner: StreamId }
  | { readonly type: 'release'; readonly owner: StreamId };

export type NameRefusal = 'name_taken' | 'not_owner';

const decide = (command: NameCommand, state: NameState): Decision<NameEvent, NameRefusal> => {
  switch (command.type) {
    case 'claim':
      // Refused to the present owner too: for a one-time `jti` that is the replay.
      if (state.status === 'claimed') return refuse('name_taken');
      return record({ type: 'name.claimed', data: { kind: command.kind, owner: command.owner } });
    case 'release':
      if (state.status !== 'claimed') return record();
      return state.owner === command.owner ? record({ type: 'name.released', data: {} }) : refuse('not_owner');
  }
};

/**
 * A name that only one stream may hold. Commit its claim together with what it names: uniqueness is then the log's own
 * optimistic concurrency. After a release and a second claim the stream's first event names the former owner, so ask
 * the folded state who owns it.
 */
export const nameDecider: Decider<NameState, NameCommand, NameEvent, NameRefusal> = {
  initial: noName,
  decide,
  evolve: evolveName,
};
