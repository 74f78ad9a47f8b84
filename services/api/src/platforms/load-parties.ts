import type { AccountState, ClientState, GrantState, KeyRingState, PlatformState, SessionState } from '@grantlog/domain';
import {
  accountDecider,
  clientDecider,
  grantDecider,
  keyRingDecider,
  keyRingStream,
  platformDecider,
  platformStream,
  sessionDecider,
} from '@grantlog/domain';
import type { Loaded, LoadedStream, LoadRequest, StreamId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';

/** What every decision about tokens loads besides what it is about. */
export const platformStreams: readonly LoadRequest[] = [{ streamId: platformStream }, { streamId: keyRingStream }];

export const foldPlatform = (loaded: Loaded): PlatformState => fold(platformDecider, loaded.stream(platformStream));
export const foldKeyRing = (loaded: Loaded): KeyRingState => fold(keyRingDecider, loaded.stream(keyRingStream));
export const foldClient = (loaded: Loaded, id: StreamId): ClientState => fold(clientDecider, loaded.stream(id));
/**
 * Whether a stream holds an aggregate: a token names its stream before its MAC is proved, so a stranger may point at any,
 * and grants, sessions and sign-ins have ids of one shape. `member` is one that only this aggregate's states have.
 */
const holds = (stream: LoadedStream, aggregate: string, member: string): boolean => {
  const [first] = stream.events;
  const state = stream.snapshot?.state;
  if (stream.snapshot === null) return first?.type.startsWith(`${aggregate}.`) ?? true;
  return typeof state === 'object' && state !== null && member in state;
};

/** The grant of a stream, or `none` for a stream that holds something else. */
export const foldGrant = (loaded: Loaded, id: StreamId): GrantState => {
  const stream = loaded.stream(id);
  return holds(stream, 'grant', 'authorizedAt') ? fold(grantDecider, stream) : grantDecider.initial;
};

/** The session of a stream, or `none` for a stream that holds something else. */
export const foldSession = (loaded: Loaded, id: StreamId): SessionState => {
  const stream = loaded.stream(id);
  return holds(stream, 'session', 'startedAt') ? fold(sessionDecider, stream) : sessionDecider.initial;
};

/** The account that a grant or a sign-in names; null where it names none. */
export const foldAccount = (loaded: Loaded, id: StreamId | null): AccountState | null =>
  id === null ? null : fold(accountDecider, loaded.stream(id));
