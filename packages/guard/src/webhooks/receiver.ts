import { createReporter } from '../problem.ts';
import { type Handling, handleOnce } from '../receiving/handle-once.ts';
import { createSeenWebhooks } from '../receiving/seen.ts';
import type { WebhookMessage } from './message.ts';
import { readReceiverOptions, type WebhookReceiverOptions } from './options.ts';
import type { WebhookFailed, WebhookOutcome } from './outcome.ts';
import { refuse } from './refusals.ts';
import { createVerify, type ReceivedWebhook, type Verify } from './verify.ts';

/** Acts on a message: whatever it throws, the sender tries again. */
export type WebhookHandler = (message: WebhookMessage) => unknown;

export type WebhookReceiver = {
  /**
   * Verifies a webhook and has it handled once. Answer with the outcome's status, headers and body.
   *
   * Never rejects for what a request holds or a handler throws.
   *
   * @param handler returns, or resolves, when the message is safe here: in a database or a queue, not yet worked through. It is
   * called again for the same id where it has thrown, where the process died, and where it outlived `handlingSeconds`.
   * @throws TypeError for a body that was parsed before it came here.
   */
  readonly receive: (received: ReceivedWebhook, handler: WebhookHandler) => Promise<WebhookOutcome>;
  /**
   * Verifies alone: for a receiver that keeps ids by itself, such as in the transaction of what it does. A genuine one that was
   * here before is `verified` again.
   *
   * @throws TypeError for a body that was parsed before it came here.
   */
  readonly verify: Verify;
};

const failed = (message: WebhookMessage, error: unknown): WebhookFailed => ({
  kind: 'failed',
  status: 500,
  headers: [],
  body: { error: 'handler_failed', error_description: 'The webhook is genuine, and handling it failed here. Send it again' },
  message,
  error,
});

const outcomeOf = (message: WebhookMessage, handling: Handling): WebhookOutcome => {
  switch (handling.kind) {
    case 'handled':
    case 'repeated':
      return { kind: handling.kind, status: 204, headers: [], body: null, message };
    case 'failed':
      return failed(message, handling.error);
    case 'in_progress':
    case 'not_remembered':
      return refuse(handling.kind);
  }
};

/**
 * Makes the receiver of the webhooks that one endpoint was registered for.
 *
 * @throws TypeError for an option that cannot be right, naming it; never its secret.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const createWebhookReceiver = (options: WebhookReceiverOptions): WebhookReceiver => {
  const settings = readReceiverOptions(options);
  const report = createReporter(options.onProblem, settings.now);
  const seen = options.seen ?? createSeenWebhooks(settings.now);
  const verify = createVerify(settings, report);
  return {
    verify,
    receive: async (received, handler) => {
      const outcome = await verify(received);
      if (outcome.kind === 'refused') return outcome;
      const { message } = outcome;
      return outcomeOf(message, await handleOnce({ seen, settings, report }, message.id, () => handler(message)));
    },
  };
};
