import { readPersonal } from '@grantlog/provisioning';
import type { LoadedSession } from '../sessions/load-session.ts';
import { admitPoll } from '../sessions/throttles.ts';
import { bareStatus } from './bare-status.ts';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';
import { type IdentifiedAgent, identifyAgent } from './identify-agent.ts';
import { linkedAtOf } from './linked-at.ts';
import { type OpenedSession, openSession } from './open-session.ts';
import type { CheckAccountStatusInput, CheckAccountStatusResult } from './schemas.ts';
import { webhooksOf } from './webhook-view.ts';

/** What a token tells of whom it stands for, within its scopes. */
const personOf = (context: AgentContext, agent: IdentifiedAgent): Pick<CheckAccountStatusResult, 'userName' | 'linkedAt' | 'scope'> => {
  const { account, accountStream, grant, token } = agent;
  const { deps, names } = context;
  const named =
    token.scopes.includes('profile') && account?.status === 'active' && accountStream !== null && grant.terms.account !== null
      ? readPersonal(deps.sealer, {
          platform: names.platform,
          subject: grant.terms.account,
          wrappedKey: accountStream.dataKey,
          personal: account.personal,
        })
      : 'erased';
  return {
    userName: named === 'erased' ? null : (named['name'] ?? null),
    linkedAt: (agent.session === null ? null : linkedAtOf(agent.session)) ?? new Date(grant.authorizedAt).toISOString(),
    scope: token.scopes.join(' '),
  };
};

const webhookState = async (context: AgentContext, session: LoadedSession): Promise<NonNullable<CheckAccountStatusResult['webhook']>> => {
  const webhooks = await webhooksOf(context.deps, context.names.platform, session);
  return { configured: webhooks.length > 0, webhooks: [...webhooks] };
};

const ofToken = async (context: AgentContext, agent: IdentifiedAgent): Promise<CheckAccountStatusResult> => {
  const { session } = agent;
  const person = { authenticated: true, status: 'complete', ...personOf(context, agent) } as const;
  if (session === null) return { ...person, sessions: [] };
  return {
    ...person,
    session: session.id,
    webhook: await webhookState(context, session),
    sessions: [{ session: session.id, status: 'complete', linkedAt: linkedAtOf(session), redeemed: true }],
  };
};

/** The agent of a token that need not be there: a dead one counts as none, for whoever has lost access may ask how it stands. */
const identifyAny = async (context: AgentContext): Promise<IdentifiedAgent | null> => {
  if (context.shown === null) return null;
  return identifyAgent(context, { withSecrets: true }).catch((error: unknown) => {
    if (error instanceof AgentError) return null;
    throw error;
  });
};

const refuseFastPoll = async ({ deps, names }: AgentContext, { session, status, now }: OpenedSession): Promise<void> => {
  // What has been decided is told at once, however soon.
  if (status !== 'pending') return;
  const { intervalSeconds } = session.state.terms;
  if (await admitPoll(deps, { platform: names.platform, session: session.id, intervalSeconds, now })) return;
  throw new AgentError('slow_down', `Ask at most every ${intervalSeconds} seconds`, {
    retryAfter: intervalSeconds,
    reason: 'polled faster than the interval',
  });
};

/**
 * How a sign-up stands. By its sessionId alone: the bare status, before and after redemption. With the session's own
 * access token also the person's name, when they connected, and its webhooks; another session's token adds nothing. By a
 * token alone: whom it stands for, and the session that it belongs to.
 *
 * @throws AgentError `invalid_grant` for a sessionId that is none of this platform's, `slow_down` for a pending one asked
 * for faster than its interval; without a sessionId `not_authenticated`, `token_expired`, `session_revoked`
 * @see RFC 8628 §3.5
 */
export const checkAccountStatus = async (context: AgentContext, input: CheckAccountStatusInput): Promise<CheckAccountStatusResult> => {
  const { sessionId } = input;
  if (sessionId === undefined) return ofToken(context, await identifyAgent(context, { withSecrets: true }));
  const opened = await openSession(context, sessionId);
  await refuseFastPoll(context, opened);
  const { session } = opened;
  const bare = { ...bareStatus(opened, context.deps.config.publicUrl), sessionId };
  const agent = await identifyAny(context);
  // Its own tokens are dead once it has ended, so whoever has a living one reads `complete`.
  if (agent?.session?.id !== session.id) return bare;
  return { ...bare, ...personOf(context, agent), session: session.id, webhook: await webhookState(context, session) };
};
