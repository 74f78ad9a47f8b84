import type { Placed, StreamId } from '@grantlog/eventsourcing';
import type { NameEvent, NameKind } from './events.ts';

export type NameState =
  | { readonly status: 'none' }
  | { readonly status: 'claimed'; readonly kind: NameKind; readonly owner: StreamId; readonly firstPosition: number }
  | { readonly status: 'released'; readonly firstPosition: number };

export const noName: NameState = { status: 'none' };

export const evolveName = (state: NameState, event: Placed<NameEvent>): NameState => {
  const firstPosition = state.status === 'none' ? event.position : state.firstPosition;
  switch (event.type) {
    case 'name.claimed':
      return { status: 'claimed', kind: event.data.kind, owner: event.data.owner, firstPosition };
    case 'name.released':
      return { status: 'released', firstPosition };
  }
};
