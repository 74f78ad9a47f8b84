import type { AccountState, ClientState, GrantState, KeyRingState, PlatformState } from '@grantlog/domain';
import {
  accountDecider,
  clientDecider,
  grantDecider,
  keyRingDecider,
  keyRingStream,
  platformDecider,
  platformStream,
} from '@grantlog/domain';
import type { Loaded, LoadRequest, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';

/** What every decision about tokens loads besides what it is about. */
export const platformStreams: readonly LoadRequest[] = [{ streamId: platformStream }, { streamId: keyRingStream }];

export const foldPlatform = (loaded: Loaded): PlatformState => fold(platformDecider, loaded.stream(platformStream));
export const foldKeyRing = (loaded: Loaded): KeyRingState => fold(keyRingDecider, loaded.stream(keyRingStream));
export const foldClient = (loaded: Loaded, id: StreamId): ClientState => fold(clientDecider, loaded.stream(id));
/**
 * The grant of a stream, or `none` for a stream that holds something else: a token names its stream before its MAC is
 * proved, so a stranger may point at any. Sign-ins have ids of the same shape.
 */
export const foldGrant = (loaded: Loaded, id: StreamId): GrantState => {
  const stream = loaded.stream(id);
  const [first] = stream.events;
  const state = stream.snapshot?.state;
  const isGrant =
    stream.snapshot === null ? (first?.type.startsWith('grant.') ?? true) : typeof state === 'object' && state !== null && 'terms' in state;
  return isGrant ? fold(grantDecider, stream) : grantDecider.initial;
};

/** The account that a grant or a sign-in names; null where it names none. */
export const foldAccount = (loaded: Loaded, id: StreamId | null): AccountState | null =>
  id === null ? null : fold(accountDecider, loaded.stream(id));
