import type { HeaderList, RefusalBody } from '../outcome.ts';
import type { WebhookMessage } from './message.ts';
import type { WebhookRefusalReason, WebhookRefusalStatus } from './refusals.ts';

/** Genuine, timely and for this receiver. Whether it was here before is not said. */
export type WebhookVerified = { readonly kind: 'verified'; readonly message: WebhookMessage };

/** Nothing to act on: answer with exactly this status, these headers and this body. The sender tries again. */
export type WebhookRefused = {
  readonly kind: 'refused';
  readonly reason: WebhookRefusalReason;
  readonly status: WebhookRefusalStatus;
  readonly headers: HeaderList;
  /** Fixed text: no secret, nothing the request contained. */
  readonly body: RefusalBody;
};

type Done = { readonly status: 204; readonly headers: HeaderList; readonly body: null; readonly message: WebhookMessage };

/** The handler has come to its end, this once. */
export type WebhookHandled = Done & { readonly kind: 'handled' };

/** It was handled before, and the handler was not called: the sender has to hear a 2xx all the same. */
export type WebhookRepeated = Done & { readonly kind: 'repeated' };

/** The handler threw. Nothing is remembered, so the sender's next attempt is handled. */
export type WebhookFailed = {
  readonly kind: 'failed';
  readonly status: 500;
  readonly headers: HeaderList;
  readonly body: RefusalBody;
  readonly message: WebhookMessage;
  /** What the handler threw, for the log. */
  readonly error: unknown;
};

export type WebhookOutcome = WebhookHandled | WebhookRepeated | WebhookFailed | WebhookRefused;
