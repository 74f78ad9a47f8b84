import { createReporter } from '../problem.ts';
import { type Handling, handleOnce } from '../receiving/handle-once.ts';
import { createSeenWebhooks } from '../receiving/seen.ts';
import type { SecurityEvent } from './event.ts';
import { type ReceiverSettings, readReceiverOptions, type SecurityEventReceiverOptions } from './options.ts';
import type { SecurityEventOutcome } from './outcome.ts';
import { refuse } from './refusals.ts';
import { createVerify, type ReceivedSecurityEvent, type VerifySecurityEvent } from './verify.ts';

/** Acts on an event: whatever it throws, the transmitter tries again. */
export type SecurityEventHandler = (event: SecurityEvent) => unknown;

export type SecurityEventReceiver = {
  /**
   * Verifies a security event token and has its event handled once. Answer with the outcome's status, headers and body.
   *
   * Never rejects for what a request holds or a handler throws.
   *
   * @param handler returns, or resolves, when the event is safe here: in a database or a queue, not yet worked through. It is
   * called again for the same id where it has thrown, where the process died, and where it outlived `handlingSeconds`.
   * @throws TypeError for a body that was parsed before it came here.
   */
  readonly receive: (received: ReceivedSecurityEvent, handler: SecurityEventHandler) => Promise<SecurityEventOutcome>;
  /**
   * Verifies alone: for a receiver that keeps ids by itself, such as in the transaction of what it does. A genuine one that was
   * here before is `verified` again.
   *
   * @throws TypeError for a body that was parsed before it came here.
   */
  readonly verify: VerifySecurityEvent;
};

const outcomeOf = (event: SecurityEvent, handling: Handling): SecurityEventOutcome => {
  switch (handling.kind) {
    case 'handled':
    case 'repeated':
      return { kind: handling.kind, status: 202, headers: [], body: null, event };
    case 'failed':
      return { kind: 'failed', status: 500, headers: [], body: null, event, error: handling.error };
    case 'in_progress':
    case 'not_remembered':
      return refuse(handling.kind);
  }
};

/** What the event is remembered by. A `jti` is an issuer's, and one message may go to two streams, or be a webhook of the same id. */
const rememberedId = ({ issuer, audience }: ReceiverSettings, { id }: SecurityEvent): string => `${issuer} ${audience} ${id}`;

/**
 * Makes the receiver of the security events that one stream pushes.
 *
 * @throws TypeError for an option that cannot be right, naming it; never its secret.
 * @see RFC 8935, OpenID Shared Signals Framework 1.0
 */
export const createSecurityEventReceiver = (options: SecurityEventReceiverOptions): SecurityEventReceiver => {
  const settings = readReceiverOptions(options);
  const report = createReporter(options.onProblem, settings.now);
  const seen = options.seen ?? createSeenWebhooks(settings.now);
  const verify = createVerify(settings, report);
  return {
    verify,
    receive: async (received, handler) => {
      const outcome = await verify(received);
      if (outcome.kind === 'refused') return outcome;
      const { event } = outcome;
      const handling = await handleOnce({ seen, settings, report }, rememberedId(settings, event), () => handler(event));
      return outcomeOf(event, handling);
    },
  };
};
