import type { PlatformId } from '@grantlog/eventsourcing';
import { listSessionWebhooks, type SessionWebhook, type ShownEndpointSecret } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import type { LoadedSession } from '../sessions/load-session.ts';
import { linkedAtOf } from './linked-at.ts';
import type { RegisterWebhookResult, WebhookView } from './schemas.ts';

const viewOf = (webhook: SessionWebhook, sessionKey: string, linkedAt: string | null): WebhookView => ({
  configured: true,
  sessionKey,
  webhookUrl: webhook.url,
  hasSecret: webhook.hasSecret,
  hasDeliveryContext: webhook.hasDeliveryContext,
  conversationSessionKey: webhook.conversationSessionKey,
  linkedAt,
  status: webhook.status,
  verified: webhook.verified,
  registeredAt: new Date(webhook.registeredAt).toISOString(),
});

/** The webhooks of a session, oldest first, as its agent sees them: never a secret. */
export const webhooksOf = async (deps: Deps, platform: PlatformId, session: LoadedSession): Promise<readonly WebhookView[]> => {
  const { id, state } = session;
  if (state.endpoints.length === 0) return [];
  const listed = await listSessionWebhooks(deps.provisioning, { platform, session: id, endpoints: state.endpoints });
  const linkedAt = linkedAtOf(session);
  // Without its key it is of an erased account, whose tokens are dead: there is nobody left to ask.
  return listed.flatMap((webhook) => (webhook.sessionKey === null ? [] : [viewOf(webhook, webhook.sessionKey, linkedAt)]));
};

/**
 * What a receiver verifies signatures with. A tool's result is read by a model and kept with its conversation, so the
 * shared secret goes over REST alone; a public key may stand anywhere.
 */
export const shownOf = (
  shown: ShownEndpointSecret | null,
  showSecret: boolean,
): Pick<RegisterWebhookResult, 'signature' | 'publicKey' | 'signingSecret'> => {
  if (shown === null) return {};
  switch (shown.signature) {
    case 'v1a':
      return { signature: 'v1a', publicKey: shown.publicKey };
    case 'v1':
      return { signature: 'v1', ...(showSecret ? { signingSecret: shown.secret } : {}) };
  }
};
