import type { JsonObject } from '@grantlog/eventsourcing';
import { listSessionWebhooks, putSessionWebhook } from '@grantlog/provisioning';
import { admitRequest } from './admit.ts';
import { checkWebhookInput, checkWebhookUrl } from './check-input.ts';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';
import { identifySession } from './identify-agent.ts';
import type { RegisterWebhookInput, RegisterWebhookResult } from './schemas.ts';
import { webhookRefused } from './webhook-refusals.ts';
import { shownOf } from './webhook-view.ts';

/**
 * Gives the caller's session a webhook, or changes the one of the same sessionKey. The receiver is told at once, by a
 * signed verification event; it stays with the session for good.
 *
 * @param options.showSecret whether a shared signing secret may be in the result, this once: over REST, never in a tool's.
 * @throws AgentError `not_authenticated`, `token_expired`, `session_revoked`, `invalid_request`, `rate_limited`
 */
export const registerWebhook = async (
  context: AgentContext,
  input: RegisterWebhookInput,
  options: { readonly showSecret: boolean } = { showSecret: false },
): Promise<RegisterWebhookResult> => {
  const { deps, names, correlationId } = context;
  const { platform } = names;
  const { session, document } = await identifySession(context);
  checkWebhookInput(input);
  await admitRequest(context, input.webhookUrl);
  await checkWebhookUrl(deps, document, input.webhookUrl);
  const { client } = session.state.terms;
  const put = await putSessionWebhook(
    deps.provisioning,
    { actor: { kind: 'client', id: client }, correlationId },
    {
      platform,
      names,
      session: session.id,
      client,
      sessionKey: input.sessionKey ?? null,
      url: input.webhookUrl,
      webhookToken: input.webhookToken ?? null,
      // It came as JSON, so it is.
      deliveryContext: (input.deliveryContext ?? null) as JsonObject | null,
      conversationSessionKey: input.conversationSessionKey ?? null,
      signature: input.signature ?? (options.showSecret ? 'v1' : 'v1a'),
      isDevelopment: deps.config.isDevelopment,
    },
  );
  if ('refusal' in put) {
    // Somebody has ended it since the token was read.
    if (put.refusal === 'unknown_session')
      throw new AgentError('session_revoked', 'The session has ended', { reason: put.refusal, presented: true });
    throw webhookRefused(put.refusal);
  }
  const [webhook] = await listSessionWebhooks(deps.provisioning, { platform, session: session.id, endpoints: [put.endpoint] });
  if (webhook === undefined) throw new Error(`the webhook ${put.endpoint} was put and is not there`);
  return {
    success: true,
    webhookUrl: webhook.url,
    hasSecret: webhook.hasSecret,
    hasDeliveryContext: webhook.hasDeliveryContext,
    sessionKey: put.sessionKey,
    conversationSessionKey: webhook.conversationSessionKey,
    created: put.created,
    verified: webhook.verified,
    ...shownOf(put.shown, options.showSecret),
  };
};
