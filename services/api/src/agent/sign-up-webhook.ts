import type { SessionId } from '@grantlog/domain';
import { platformStream } from '@grantlog/domain';
import type { JsonObject } from '@grantlog/eventsourcing';
import { newSessionWebhook, type PreparedSessionWebhook } from '@grantlog/provisioning';
import type { SessionCompanion } from '../sessions/start-session.ts';
import type { AgentContext } from './context.ts';
import type { InitSignupInput, RegisterWebhookResult } from './schemas.ts';
import { webhookRefused } from './webhook-refusals.ts';
import { shownOf } from './webhook-view.ts';

/** The webhook that a session begins with: committed together with it, or neither is. */
export type SignUpWebhook = {
  /** @throws AgentError from its decision, for a webhook that is refused */
  readonly accompany: (session: SessionId) => Promise<SessionCompanion>;
  /** What its agent is told, once the commit stands. */
  readonly result: () => RegisterWebhookResult;
};

const companionOf = (prepared: PreparedSessionWebhook): SessionCompanion => ({
  requests: [platformStream, prepared.endpoint],
  decide: (loaded) => {
    const write = prepared.write(loaded);
    if ('refusal' in write) throw webhookRefused(write.refusal);
    return { writes: [write], ofSession: [{ type: 'session.webhook_registered', data: { endpoint: prepared.endpoint } }] };
  },
});

/** The webhook of a sign-up's input, of which `webhookUrl` has been judged. */
export const signUpWebhook = (
  { deps, names }: AgentContext,
  input: InitSignupInput & { readonly webhookUrl: string },
  options: { readonly clientId: string; readonly showSecret: boolean },
): SignUpWebhook => {
  const { webhookUrl, webhookToken = null, conversationSessionKey = null } = input;
  // It came as JSON, so it is.
  const deliveryContext = (input.deliveryContext ?? null) as JsonObject | null;
  let prepared: PreparedSessionWebhook | null = null;
  return {
    accompany: async (session) => {
      prepared = await newSessionWebhook(deps.provisioning, {
        platform: names.platform,
        names,
        session,
        client: names.client(options.clientId),
        sessionKey: null,
        url: webhookUrl,
        webhookToken,
        deliveryContext,
        conversationSessionKey,
        signature: options.showSecret ? 'v1' : 'v1a',
        isDevelopment: deps.config.isDevelopment,
      });
      return companionOf(prepared);
    },
    result: () => {
      if (prepared === null) throw new Error('the webhook of a sign-up is told before it was prepared');
      return {
        success: true,
        webhookUrl: webhookUrl.replace(/\?.*$/s, '?…'),
        hasSecret: webhookToken !== null,
        hasDeliveryContext: deliveryContext !== null,
        sessionKey: prepared.sessionKey,
        conversationSessionKey,
        created: true,
        verified: false,
        ...shownOf(prepared.shown, options.showSecret),
      };
    },
  };
};
