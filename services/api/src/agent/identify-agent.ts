import type { Loaded } from '@grantlog/eventsourcing';
import { sameResource } from '@grantlog/protocol';
import type { LiveToken } from '../access/resolve-access.ts';
import { resolveShown } from '../access/resolve-shown.ts';
import { dpopOf } from '../access/shown-token.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldGrant, foldKeyRing, foldPlatform } from '../platforms/load-parties.ts';
import { type LoadedSession, loadedSession } from '../sessions/load-session.ts';
import { proveToken, readToken } from '../tokens/read-token.ts';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';

/** An agent that showed a living access token for this server. */
export type IdentifiedAgent = LiveToken & {
  /** The sign-up session that its grant came from; null for a token of another flow. */
  readonly session: LoadedSession | null;
};

type Refuse = (code: 'not_authenticated' | 'token_expired' | 'session_revoked', message: string, reason: string) => AgentError;

/**
 * Why a token gives nothing, told to nobody but its bearer: the MAC is proved before a word of the grant is said, so a
 * made-up token that names somebody's grant learns nothing of it.
 */
const whyDead = async (
  { deps, names }: AgentContext,
  { token: text, loaded, reason }: { readonly token: string; readonly loaded: Loaded; readonly reason: string },
  refuse: Refuse,
): Promise<AgentError> => {
  const unknown = refuse('not_authenticated', 'The access token is not one of this platform', reason);
  const claimed = readToken(text);
  const platform = foldPlatform(loaded);
  if (claimed === null || platform.status === 'none') return unknown;
  const grant = foldGrant(loaded, claimed.grantId);
  if (grant.status === 'none' || grant.status === 'denied' || grant.status === 'authorized') return unknown;
  const { document } = platform;
  const proved = await proveToken(claimed, {
    platform: names.platform,
    issuer: issuerOf(document, deps.config.publicUrl),
    document,
    keys: await deps.keys.of(names.platform, foldKeyRing(loaded)),
    terms: grant.terms,
    now: loaded.now,
  });
  if (proved === null) return unknown;
  if (proved.kind !== 'access')
    return refuse('not_authenticated', 'An access token is needed here, and no other', `a ${proved.kind} token`);
  if ((grant.status === 'ended' && grant.reason !== 'expired') || grantStanding(loaded, grant) !== 'good')
    return refuse('session_revoked', 'The access that this token stood for was revoked', reason);
  return loaded.now >= proved.expiresAt * 1000 || grant.status === 'ended'
    ? refuse('token_expired', 'The access token has expired', reason)
    : refuse('token_expired', 'The access token was revoked by itself; what it stood for was not', reason);
};

/**
 * Who asks, by the access token of the call: read from the log at this instant.
 *
 * A token for another resource, or for none in particular, is nobody's here, so that whoever else it was shown to cannot
 * act in an agent's name (RFC 8707 §2; MCP authorization, token audience).
 *
 * @param options.withSecrets where the account's personal data is to be read.
 * @throws AgentError `not_authenticated`, `token_expired`, `session_revoked`
 */
export const identifyAgent = async (context: AgentContext, options: { readonly withSecrets?: boolean } = {}): Promise<IdentifiedAgent> => {
  const { deps, names, shown } = context;
  if (shown === null) throw new AgentError('not_authenticated', 'This needs the access token of a session, as Authorization: Bearer');
  const refuse: Refuse = (code, message, reason) =>
    new AgentError(code, message, { reason, presented: true, challenge: { dpop: dpopOf(shown) } });
  const { live, refusal, loaded } = await resolveShown(deps, names, shown, { withSecrets: options.withSecrets ?? false });
  if (live === null && refusal.isLive) {
    const { code, description, reason, dpop } = refusal;
    throw new AgentError('not_authenticated', description, { reason, presented: true, challenge: { error: code, dpop } });
  }
  if (live === null) throw await whyDead(context, { token: shown.token, loaded, reason: refusal.reason }, refuse);
  if (live.kind !== 'access') throw refuse('not_authenticated', 'An access token is needed here, and no other', `a ${live.kind} token`);
  const { mcpServer } = live.document;
  const { resource } = live.token;
  if (mcpServer !== null && resource === null)
    throw refuse('not_authenticated', `The access token names no resource: ask for it with resource=${mcpServer.resource}`, 'no audience');
  if (mcpServer !== null && resource !== null && !sameResource(resource, mcpServer.resource))
    throw refuse('not_authenticated', `The access token is for another resource than ${mcpServer.resource}`, 'wrong audience');
  const { session, clientId } = live.grant.terms;
  deps.traces.noteUse({ platform: names.platform, grant: live.grantId, client: clientId, request: context.requestId });
  return { ...live, session: session === null ? null : loadedSession(loaded, session) };
};

/**
 * The agent and the session that its token belongs to.
 *
 * @throws AgentError as {@link identifyAgent}, and `invalid_request` for a token of no sign-up session
 */
export const identifySession = async (context: AgentContext): Promise<IdentifiedAgent & { readonly session: LoadedSession }> => {
  const agent = await identifyAgent(context);
  if (agent.session === null) {
    throw new AgentError(
      'invalid_request',
      'This access token belongs to no sign-up session: call init_signup, and use the tokens that its sessionId is redeemed for',
      {
        reason: 'no session behind the token',
      },
    );
  }
  return { ...agent, session: agent.session };
};
