import { createDataKey } from '@grantlog/crypto';
import type { EndpointId } from '@grantlog/domain';
import { platformDecider, platformStream, webhookEndpointDecider } from '@grantlog/domain';
import type { Loaded, NewEvent, PlatformId } from '@grantlog/eventsourcing';
import { fold } from '@grantlog/eventsourcing';
import { insertCredentials, insertDataKey } from '@grantlog/postgres';
import { sealBearer } from './endpoint-bearer.ts';
import type { ShownEndpointSecret } from './endpoint-secret.ts';
import { newEndpointSecret } from './endpoint-secret.ts';
import { sealDataKey, sealPersonalOf } from './personal-data.ts';
import type { Provisioning } from './provisioning.ts';
import type { SessionWebhookRefusal, SessionWebhookRequest } from './session-webhook-request.ts';
import { requestProblem, sessionKeyOf } from './session-webhook-request.ts';
import { echoFields } from './webhook-echo.ts';

/** A webhook whose secrets are stored and whose registration is still to be committed. */
export type PreparedSessionWebhook = {
  readonly endpoint: EndpointId;
  /** The key by which its agent speaks of it. */
  readonly sessionKey: string;
  /** What its receiver verifies with: to be shown once, if the commit stands. */
  readonly shown: ShownEndpointSecret;
  /** Credential id of its token. */
  readonly bearer: string | null;
  /**
   * What to commit together with the session's `session.webhook_registered`; the load needs the platform and the endpoint,
   * the commit reads the platform. May be asked several times.
   */
  readonly write: (
    loaded: Loaded,
  ) => { readonly streamId: EndpointId; readonly events: readonly NewEvent[] } | { readonly refusal: SessionWebhookRefusal };
};

/** The endpoint that a session's webhook of this key is. */
export const sessionWebhookId = (of: Pick<SessionWebhookRequest, 'names' | 'session' | 'sessionKey'>): EndpointId =>
  of.names.sessionWebhook(of.session, sessionKeyOf(of));

/** Whether a platform's endpoints may be on loopback, as a load found it. */
export const mayLoop = (loaded: Loaded, isDevelopment: boolean): boolean => {
  const owner = fold(platformDecider, loaded.stream(platformStream));
  return isDevelopment && owner.status !== 'none' && owner.document.webhooks.allowLoopback;
};

/** The wrapped data key of an endpoint, made where it has none yet. */
export const endpointDataKey = (context: Provisioning, of: { readonly platform: PlatformId; readonly endpoint: EndpointId }) => {
  const { platform, endpoint: subject } = of;
  const sealed = sealDataKey(context.sealer, { platform, subject, dataKey: createDataKey() });
  return insertDataKey(context.pool, { platform, subject, sealed });
};

/**
 * Prepares the webhook that a session begins with, or a further one: seals and stores its secrets and its own data key,
 * and decides its registration when it is asked.
 */
export const newSessionWebhook = async (context: Provisioning, of: SessionWebhookRequest): Promise<PreparedSessionWebhook> => {
  const { platform, session, client, url, webhookToken, deliveryContext, conversationSessionKey, signature } = of;
  const sessionKey = sessionKeyOf(of);
  const endpoint = sessionWebhookId(of);
  const { credential, shown } = newEndpointSecret(context.sealer, { platform, endpoint, signature });
  const refusal = requestProblem(of);
  if (refusal !== null) return { endpoint, sessionKey, shown, bearer: null, write: () => ({ refusal }) };

  const bearer = webhookToken === null ? null : sealBearer(context, { platform, endpoint, token: webhookToken });
  await insertCredentials(context.pool, bearer === null ? [credential] : [credential, bearer]);
  const personal = sealPersonalOf(context.sealer, {
    platform,
    subject: endpoint,
    wrappedKey: await endpointDataKey(context, { platform, endpoint }),
    streamId: endpoint,
    version: 1,
    fields: echoFields({ sessionKey, deliveryContext, conversationSessionKey }),
  });
  return {
    endpoint,
    sessionKey,
    shown,
    bearer: bearer?.id ?? null,
    write: (loaded) => {
      const decision = webhookEndpointDecider.decide(
        {
          type: 'register',
          url,
          types: null,
          ordered: false,
          concurrency: 4,
          description: '',
          client,
          session,
          bearerCredential: bearer?.id ?? null,
          hasDeliveryContext: deliveryContext !== null,
          secretCredentials: [credential.id],
          signature,
          allowLoopback: mayLoop(loaded, of.isDevelopment),
        },
        fold(webhookEndpointDecider, loaded.stream(endpoint)),
      );
      if (decision.refusal !== undefined) return { refusal: decision.refusal };
      return { streamId: endpoint, events: decision.events.map((event): NewEvent => ({ ...event, personal })) };
    },
  };
};
