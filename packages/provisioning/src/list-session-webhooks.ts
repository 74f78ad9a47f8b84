import type { EndpointId, Instant, SessionId } from '@grantlog/domain';
import { webhookEndpointDecider } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import type { Provisioning } from './provisioning.ts';
import { readWebhookEcho } from './webhook-echo.ts';

/** A session's webhook as its agent is shown it: that there is a secret, never the secret. */
export type SessionWebhook = {
  readonly endpoint: EndpointId;
  /** Null where the account has been erased, as with everything else that the agent said of it. */
  readonly sessionKey: string | null;
  /** Its query, which may be a secret of the receiver, is cut. */
  readonly url: string;
  readonly status: 'active' | 'disabled';
  /** Whether a signed event of ours was answered with 2xx at this URL. */
  readonly verified: boolean;
  /** Whether its deliveries carry a `webhookToken`. */
  readonly hasSecret: boolean;
  readonly hasDeliveryContext: boolean;
  readonly conversationSessionKey: string | null;
  readonly registeredAt: Instant;
};

/** Those of these endpoints that are this session's and not deleted, in the order given. */
export const listSessionWebhooks = async (
  context: Provisioning,
  of: { readonly platform: PlatformId; readonly session: SessionId; readonly endpoints: readonly EndpointId[] },
): Promise<readonly SessionWebhook[]> => {
  const { platform, session, endpoints } = of;
  if (endpoints.length === 0) return [];
  const loaded = await context.log.load(
    platform,
    endpoints.map((streamId) => ({ streamId, withSecrets: true })),
  );
  return endpoints.flatMap((endpoint): readonly SessionWebhook[] => {
    const stream = loaded.stream(endpoint);
    const state = fold(webhookEndpointDecider, stream);
    if (state.status === 'none' || state.status === 'deleted' || state.session !== session) return [];
    const echo = readWebhookEcho(context.sealer, { platform, endpoint, wrappedKey: stream.dataKey, personal: state.personal });
    return [
      {
        endpoint,
        sessionKey: echo?.sessionKey ?? null,
        url: state.url.replace(/\?.*$/s, '?…'),
        status: state.status,
        verified: state.verified,
        hasSecret: state.bearers.length > 0,
        hasDeliveryContext: echo?.deliveryContext != null,
        conversationSessionKey: echo?.conversationSessionKey ?? null,
        registeredAt: state.registeredAt,
      },
    ];
  });
};
