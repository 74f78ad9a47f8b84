import { sha256 } from '@grantlog/crypto';
import type { ClientStreamId, SessionId, WebhookEndpointRefusal, WebhookSignature } from '@grantlog/domain';
import type { JsonObject, PlatformId } from '@grantlog/eventsourcing';
import type { PlatformNames } from './platform-directory.ts';
import { longestDeliveryContext } from './webhook-echo.ts';

/** A webhook as a session's agent asks for it, well-formed. Whether its host is public is asked before (the API's egress). */
export type SessionWebhookRequest = {
  readonly platform: PlatformId;
  readonly names: PlatformNames;
  readonly session: SessionId;
  /** The client of the session. */
  readonly client: ClientStreamId;
  /** The agent's name for the webhook; null for the one webhook of a session that needs no name. */
  readonly sessionKey: string | null;
  readonly url: string;
  /** What its deliveries carry as `Authorization: Bearer …`; null for none, or for the one that it has at this URL. */
  readonly webhookToken: string | null;
  /** Echoed in each payload; null for none, or for the one that it has at this URL. */
  readonly deliveryContext: JsonObject | null;
  readonly conversationSessionKey: string | null;
  /** How a new webhook is signed for. It never changes. */
  readonly signature: WebhookSignature;
  /** Whether the server is in development: only then may the platform's document allow loopback. */
  readonly isDevelopment: boolean;
};

type RequestProblem = 'webhook_token_invalid' | 'session_key_invalid' | 'conversation_session_key_invalid' | 'delivery_context_too_large';

/** `webhook_token_missing`: the one that it has is not sent to another URL. */
export type SessionWebhookRefusal =
  | 'unknown_session'
  | 'too_many_webhooks'
  | 'webhook_token_missing'
  | RequestProblem
  | WebhookEndpointRefusal;

// RFC 6750 §2.1 would have fewer characters; agents bring tokens of their own making, and these can stand in a header.
const tokenForm = /^[\x21-\x7e]{1,512}$/;
const longestKey = 256;

/** What is wrong with a request besides its URL, or null. */
export const requestProblem = (request: SessionWebhookRequest): RequestProblem | null => {
  const { webhookToken, sessionKey, conversationSessionKey, deliveryContext } = request;
  if (webhookToken !== null && !tokenForm.test(webhookToken)) return 'webhook_token_invalid';
  if (sessionKey !== null && (sessionKey === '' || sessionKey.length > longestKey)) return 'session_key_invalid';
  if (conversationSessionKey !== null && conversationSessionKey.length > longestKey) return 'conversation_session_key_invalid';
  const size = deliveryContext === null ? 0 : Buffer.byteLength(JSON.stringify(deliveryContext));
  return size > longestDeliveryContext ? 'delivery_context_too_large' : null;
};

/** The key of a webhook that its agent gave none: the same one whenever it is asked for, so that asking again changes it. */
export const sessionKeyOf = ({ session, sessionKey }: Pick<SessionWebhookRequest, 'session' | 'sessionKey'>): string =>
  sessionKey ?? `session_${sha256(`grantlog webhook of a session\0${session}`).toBase64({ alphabet: 'base64url' }).slice(0, 16)}`;
