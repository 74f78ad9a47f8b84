export { createGuard, type Guard, type GuardedRequest, type GuardRequest } from './guard.ts';
export type { GuardOptions } from './options.ts';
export type { Allowed, GuardOutcome, HeaderList, RefusalBody, RefusalStatus, Refused } from './outcome.ts';
export type { GuardProblem, OnProblem } from './problem.ts';
export type { SpendProof, UsedProof } from './proof-memory.ts';
export type { PublishedMetadata } from './published-metadata.ts';
export type { WebhookBody } from './receiving/body.ts';
export type { WebhookHeaders } from './receiving/headers.ts';
export type { Claimed, SeenWebhooks, WebhookClaim } from './receiving/seen.ts';
export type { SecurityEvent } from './security-events/event.ts';
export type { SecurityEventReceiverOptions } from './security-events/options.ts';
export type {
  SecurityEventErrorBody,
  SecurityEventFailed,
  SecurityEventHandled,
  SecurityEventOutcome,
  SecurityEventRefused,
  SecurityEventRepeated,
  SecurityEventVerified,
} from './security-events/outcome.ts';
export { createSecurityEventReceiver, type SecurityEventHandler, type SecurityEventReceiver } from './security-events/receiver.ts';
export type { SecurityEventError, SecurityEventRefusalReason } from './security-events/refusals.ts';
export type { ReceivedSecurityEvent } from './security-events/verify.ts';
export type { ContextRefusal, ContextSelected } from './select-context.ts';
export type { WebhookMessage } from './webhooks/message.ts';
export type { WebhookReceiverOptions } from './webhooks/options.ts';
export type {
  WebhookFailed,
  WebhookHandled,
  WebhookOutcome,
  WebhookRefused,
  WebhookRepeated,
  WebhookVerified,
} from './webhooks/outcome.ts';
export type { WebhookHandler } from './webhooks/receiver.ts';
export { createWebhookReceiver, type WebhookReceiver } from './webhooks/receiver.ts';
export type { WebhookRefusalReason, WebhookRefusalStatus } from './webhooks/refusals.ts';
export type { ReceivedWebhook } from './webhooks/verify.ts';
