import type { AgentContext } from './context.ts';
import { identifySession } from './identify-agent.ts';
import type { GetWebhookStatusInput, GetWebhookStatusResult } from './schemas.ts';
import { webhooksOf } from './webhook-view.ts';

/**
 * How the webhooks of the caller's session stand: the one of a sessionKey, or all.
 *
 * @throws AgentError `not_authenticated`, `token_expired`, `session_revoked`, `invalid_request`
 */
export const getWebhookStatus = async (context: AgentContext, input: GetWebhookStatusInput): Promise<GetWebhookStatusResult> => {
  const { session } = await identifySession(context);
  const webhooks = await webhooksOf(context.deps, context.names.platform, session);
  const { sessionKey } = input;
  if (sessionKey === undefined) return { configured: webhooks.length > 0, webhooks: [...webhooks] };
  return webhooks.find((webhook) => webhook.sessionKey === sessionKey) ?? { configured: false, sessionKey };
};
