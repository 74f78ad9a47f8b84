import type { PersonalFields, Sealer } from '@grantlog/crypto';
import type { EndpointId, EndpointRecord } from '@grantlog/domain';
import type { JsonObject, PlatformId } from '@grantlog/eventsourcing';
import { readPersonal } from './personal-data.ts';

/** What an agent wants repeated in every payload of a session's webhook. Personal data: sealed under the endpoint's own key. */
export type WebhookEcho = {
  /** The agent's name for this webhook, or the one that its session's only webhook is given. */
  readonly sessionKey: string;
  readonly deliveryContext: JsonObject | null;
  readonly conversationSessionKey: string | null;
};

/** Bytes of a `deliveryContext` as JSON. Bodies are to stay below 20 kB (Standard Webhooks), whatever else they say. */
export const longestDeliveryContext = 4_096;

/** The echo as the fields that an event seals. */
export const echoFields = ({ sessionKey, deliveryContext, conversationSessionKey }: WebhookEcho): PersonalFields => ({
  sessionKey,
  ...(deliveryContext === null ? {} : { deliveryContext: JSON.stringify(deliveryContext) }),
  ...(conversationSessionKey === null ? {} : { conversationSessionKey }),
});

/**
 * What an endpoint's payloads repeat, in the clear; null where it has nothing of the kind, or its key was destroyed.
 *
 * @param of.wrappedKey the data key as a load with secrets found it.
 */
export const readWebhookEcho = (
  sealer: Sealer,
  of: {
    readonly platform: PlatformId;
    readonly endpoint: EndpointId;
    readonly wrappedKey: Uint8Array | null;
    readonly personal: EndpointRecord['personal'];
  },
): WebhookEcho | null => {
  const fields = readPersonal(sealer, { ...of, subject: of.endpoint });
  if (fields === 'erased') return null;
  const { sessionKey = '', deliveryContext, conversationSessionKey = null } = fields;
  return {
    sessionKey,
    // Sealed by `echoFields`, from an object.
    deliveryContext: deliveryContext === undefined ? null : (JSON.parse(deliveryContext) as JsonObject),
    conversationSessionKey,
  };
};
