import { type SessionStatus, sessionStatus } from '@grantlog/domain';
import { foldKeyRing } from '../platforms/load-parties.ts';
import { type LoadedSession, loadedSession, sessionRequests } from '../sessions/load-session.ts';
import { provesSession, readSessionToken } from '../sessions/session-tokens.ts';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';

/** A session whose sessionId was shown, and how it stands at `now`, milliseconds since the epoch. */
export type OpenedSession = { readonly session: LoadedSession; readonly status: SessionStatus; readonly now: number };

/**
 * The session that a sessionId is the secret of. Every other text has one answer, so that none can be told from another.
 *
 * @throws AgentError `invalid_grant`
 */
export const openSession = async ({ deps, names }: AgentContext, sessionId: string): Promise<OpenedSession> => {
  const { platform } = names;
  const unknown = (reason: string): AgentError =>
    new AgentError('invalid_grant', 'No session of this platform has this sessionId', { reason });
  const claimed = readSessionToken(sessionId, 'session');
  if (claimed === null) throw unknown('not a session token');
  const loaded = await deps.log.load(platform, sessionRequests(claimed.session));
  const session = loadedSession(loaded, claimed.session);
  if (session === null) throw unknown('no such session on this platform');
  const keys = await deps.keys.of(platform, foldKeyRing(loaded));
  if (!provesSession(claimed, { platform, keys, terms: session.state.terms })) throw unknown('its MAC does not fit');
  const status = sessionStatus({ session: session.state, grant: session.grant, standing: session.standing, now: loaded.now });
  if (status === null) throw unknown('no such session on this platform');
  return { session, status, now: loaded.now };
};
