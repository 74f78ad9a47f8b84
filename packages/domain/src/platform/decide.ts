import { type Decider, type Decision, record, refuse } from '@grantlog/eventsourcing';
import { sameJson } from '../same-json.ts';
import type { PlatformDocument } from './document.ts';
import type { PlatformEvent } from './events.ts';
import { evolvePlatform, noPlatform, type PlatformState } from './state.ts';

export type PlatformCommand =
  | { readonly type: 'configure'; readonly document: PlatformDocument }
  | { readonly type: 'suspend'; readonly reason: string }
  | { readonly type: 'resume' }
  | { readonly type: 'revokeGrants'; readonly reason: string };

export type PlatformRefusal = 'unknown_platform' | 'name_changed';

/** Asking again for what already is records nothing and is no refusal, so that provisioning can run twice. */
const decide = (command: PlatformCommand, state: PlatformState): Decision<PlatformEvent, PlatformRefusal> => {
  if (command.type === 'configure') {
    const { document } = command;
    // The name is the first column of every key; another name is another platform.
    if (state.status !== 'none' && state.document.name !== document.name) return refuse('name_changed');
    if (state.status !== 'none' && sameJson(state.document, document)) return record();
    return record({ type: 'platform.configured', data: { document } });
  }
  if (state.status === 'none') return refuse('unknown_platform');
  switch (command.type) {
    case 'suspend':
      return state.status === 'suspended' ? record() : record({ type: 'platform.suspended', data: { reason: command.reason } });
    case 'resume':
      return state.status === 'active' ? record() : record({ type: 'platform.resumed', data: {} });
    case 'revokeGrants':
      return record({ type: 'platform.grants_revoked', data: { reason: command.reason } });
  }
};

/** A tenant: its document, whether it is suspended, and its own not-before position. Its stream is `platformStream`. */
export const platformDecider: Decider<PlatformState, PlatformCommand, PlatformEvent, PlatformRefusal> = {
  initial: noPlatform,
  decide,
  evolve: evolvePlatform,
};
