import type { SessionWebhookRefusal } from '@grantlog/provisioning';
import { AgentError } from './errors.ts';

/** What an agent reads of each refusal of a webhook; those that its input cannot cause are defects. */
const words: Readonly<Record<SessionWebhookRefusal, string | null>> = {
  too_many_webhooks: 'The session has as many webhooks as it may have: register again with the sessionKey of one of them to change it',
  webhook_token_missing: 'Send webhookToken too: the one that this webhook has is not sent to another webhookUrl',
  webhook_token_invalid: 'webhookToken must have 1 to 512 visible ASCII characters, without spaces',
  session_key_invalid: 'sessionKey must have 1 to 200 characters',
  conversation_session_key_invalid: 'conversationSessionKey must have 1 to 200 characters',
  delivery_context_too_large: 'deliveryContext is too large: keep what you need to find the conversation, and no more',
  url_invalid: 'webhookUrl is no URL',
  url_insecure: 'webhookUrl must use https, on a public address',
  url_with_credentials: 'webhookUrl must not contain a user name or password; send a webhookToken instead',
  url_with_fragment: 'webhookUrl must not have a fragment',
  endpoint_deleted: 'The webhook of this sessionKey was taken away; use another sessionKey',
  unknown_session: null,
  unknown_endpoint: null,
  endpoint_exists: null,
  types_invalid: null,
  endpoint_disabled: null,
  types_unknown: null,
  concurrency_out_of_range: null,
  rate_out_of_range: null,
  description_too_long: null,
  grants_invalid: null,
  grants_without_client: null,
  secret_missing: null,
  too_many_secrets: null,
  endpoint_unverified: null,
  recovery_running: null,
  too_many_subjects: null,
};

/** A webhook's refusal as its agent is told it; a defect, to be thrown as well, where no input explains it. */
export const webhookRefused = (refusal: SessionWebhookRefusal): Error => {
  const told = words[refusal];
  return told === null
    ? new Error(`a session's webhook was refused: ${refusal}`)
    : new AgentError('invalid_request', told, { reason: `webhook: ${refusal}` });
};
