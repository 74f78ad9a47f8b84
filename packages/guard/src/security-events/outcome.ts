import type { HeaderList } from '../outcome.ts';
import type { SecurityEvent } from './event.ts';
import type { SecurityEventError, SecurityEventRefusalReason } from './refusals.ts';

/** By its issuer and for this receiver. Whether it was here before is not said. */
export type SecurityEventVerified = { readonly kind: 'verified'; readonly event: SecurityEvent };

/** Fixed text: no token, nothing that the request contained. */
export type SecurityEventErrorBody = { readonly err: SecurityEventError; readonly description: string };

/** Nothing to act on: answer with exactly this status, these headers and this body. */
export type SecurityEventRefused = {
  readonly kind: 'refused';
  readonly reason: SecurityEventRefusalReason;
  readonly headers: HeaderList;
} & ({ readonly status: 400; readonly body: SecurityEventErrorBody } | { readonly status: 413 | 503; readonly body: null });

type Accepted = { readonly status: 202; readonly headers: HeaderList; readonly body: null; readonly event: SecurityEvent };

/** The handler has come to its end, this once. */
export type SecurityEventHandled = Accepted & { readonly kind: 'handled' };

/** It was handled before, and the handler was not called: the transmitter has to hear 202 all the same. */
export type SecurityEventRepeated = Accepted & { readonly kind: 'repeated' };

/** The handler threw. Nothing is remembered, so the transmitter's next attempt is handled. */
export type SecurityEventFailed = {
  readonly kind: 'failed';
  readonly status: 500;
  readonly headers: HeaderList;
  readonly body: null;
  readonly event: SecurityEvent;
  /** What the handler threw, for the log. */
  readonly error: unknown;
};

export type SecurityEventOutcome = SecurityEventHandled | SecurityEventRepeated | SecurityEventFailed | SecurityEventRefused;
