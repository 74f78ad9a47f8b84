import type { GrantState, PlatformDocument, SessionId, SessionState, Standing } from '@grantlog/domain';
import { standing } from '@grantlog/domain';
import type { Loaded, LoadRequest } from '@grantlog/eventsourcing';
import { sessionGrant } from '@grantlog/provisioning';
import { grantStanding } from '../platforms/grant-standing.ts';
import { foldClient, foldGrant, foldPlatform, foldSession, platformStreams } from '../platforms/load-parties.ts';

/** A session that began, with everything its standing depends on, at one instant. */
export type LoadedSession = {
  readonly id: SessionId;
  readonly state: Exclude<SessionState, { status: 'none' }>;
  readonly grant: GrantState;
  readonly document: PlatformDocument;
  /** Of the session's client and platform, and of its account once it has one. */
  readonly standing: Standing;
};

/** What a load of a session asks for. With secrets where its sealed beginning is to be read. */
export const sessionRequests = (id: SessionId, options: { readonly withSecrets?: boolean } = {}): readonly LoadRequest[] => [
  ...platformStreams,
  { streamId: id, follow: true, withSecrets: options.withSecrets ?? false },
  // Follows to its account, which the session's own first event cannot name.
  { streamId: sessionGrant(id), follow: true, withSecrets: options.withSecrets ?? false },
];

/** The session of a load that {@link sessionRequests} asked for; null where none of this id began on this platform. */
export const loadedSession = (loaded: Loaded, id: SessionId): LoadedSession | null => {
  const state = foldSession(loaded, id);
  const platform = foldPlatform(loaded);
  if (state.status === 'none' || platform.status === 'none') return null;
  const grant = foldGrant(loaded, sessionGrant(id));
  // Until somebody answers it is its client's alone. What an account revoked before is no answer to what it allowed since.
  const ofSession = standing({
    firstPosition: state.firstPosition,
    platform,
    client: foldClient(loaded, state.terms.client),
    account: null,
  });
  return {
    id,
    state,
    grant,
    document: platform.document,
    standing: ofSession !== 'good' || grant.status === 'none' || grant.status === 'denied' ? ofSession : grantStanding(loaded, grant),
  };
};
