import type { Placed } from '@grantlog/eventsourcing';
import type { PlatformDocument } from './document.ts';
import type { PlatformEvent } from './events.ts';
import { withLaterMembers } from './later-members.ts';

type Configured = {
  readonly document: PlatformDocument;
  readonly firstPosition: number;
  /** Position of the latest `platform.grants_revoked`: whatever first stood below it is dead. 0 when there was none. */
  readonly revokedBefore: number;
};

export type PlatformState =
  | { readonly status: 'none' }
  | ({ readonly status: 'active' } & Configured)
  | ({ readonly status: 'suspended'; readonly reason: string } & Configured);

export const noPlatform: PlatformState = { status: 'none' };

export const evolvePlatform = (state: PlatformState, event: Placed<PlatformEvent>): PlatformState => {
  if (event.type === 'platform.configured') {
    const document = withLaterMembers(event.data.document);
    return state.status === 'none'
      ? { status: 'active', document, firstPosition: event.position, revokedBefore: 0 }
      : { ...state, document };
  }
  if (state.status === 'none') return state;
  const { document, firstPosition, revokedBefore } = state;
  switch (event.type) {
    case 'platform.suspended':
      return { status: 'suspended', reason: event.data.reason, document, firstPosition, revokedBefore };
    case 'platform.resumed':
      return { status: 'active', document, firstPosition, revokedBefore };
    case 'platform.grants_revoked':
      return { ...state, revokedBefore: event.position };
  }
};
