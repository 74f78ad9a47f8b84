import { revokeSession } from '@grantlog/provisioning';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';
import { identifySession } from './identify-agent.ts';
import type { EndSessionResult } from './schemas.ts';

/**
 * An agent ends its own session, and with it every token of it: the one that it asks with is dead afterwards.
 *
 * @throws AgentError `not_authenticated`, `token_expired`, `session_revoked`, `invalid_request`
 */
export const endSession = async (context: AgentContext): Promise<EndSessionResult> => {
  const { deps, names, correlationId } = context;
  const { session } = await identifySession(context);
  const { client } = session.state.terms;
  const ended = await revokeSession(
    deps.provisioning,
    { actor: { kind: 'client', id: client }, correlationId },
    { platform: names.platform, session: session.id, reason: 'by_client', client },
  );
  // It was loaded a moment ago, and sessions are never taken away.
  if ('refusal' in ended) throw new AgentError('not_authenticated', 'The session is not there', { reason: ended.refusal, presented: true });
  return { success: true, status: 'revoked', session: session.id };
};
