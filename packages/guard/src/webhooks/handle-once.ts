import type { OnProblem } from '../problem.ts';
import type { WebhookMessage } from './message.ts';
import type { ReceiverSettings } from './options.ts';
import type { WebhookFailed, WebhookHandled, WebhookRefused, WebhookRepeated } from './outcome.ts';
import { refuse } from './refusals.ts';
import { rememberedSeconds, type SeenWebhooks } from './seen.ts';

/** Acts on a message: whatever it throws, the sender tries again. */
export type WebhookHandler = (message: WebhookMessage) => unknown;

const failed = (message: WebhookMessage, error: unknown): WebhookFailed => ({
  kind: 'failed',
  status: 500,
  headers: [],
  body: { error: 'handler_failed', error_description: 'The webhook is genuine, and handling it failed here. Send it again' },
  message,
  error,
});

/**
 * Has a genuine message handled once. Its id counts as handled when the handler has ended well and not before: marked earlier,
 * what a crash interrupts would be lost, as the next attempt would be taken for a repeat.
 */
export const handleOnce = async (
  context: {
    readonly seen: SeenWebhooks;
    readonly settings: Pick<ReceiverSettings, 'now' | 'handlingSeconds'>;
    readonly report: OnProblem;
  },
  message: WebhookMessage,
  handler: WebhookHandler,
): Promise<WebhookHandled | WebhookRepeated | WebhookFailed | WebhookRefused> => {
  const { seen, settings, report } = context;
  const { id } = message;
  const nowSeconds = (): number => Math.floor(settings.now() / 1000);
  const reported = (step: string, error: unknown): void =>
    report({ kind: 'webhooks_not_kept', message: `${step} of seen failed: ${error instanceof Error ? error.name : 'it threw'}` });

  const claim = { id, until: nowSeconds() + settings.handlingSeconds };
  try {
    const claimed = await seen.claim(claim);
    if (claimed === 'handled') return { kind: 'repeated', status: 204, headers: [], body: null, message };
    if (claimed === 'in_progress') return refuse('in_progress');
  } catch (error) {
    reported('claim', error);
    return refuse('not_remembered');
  }
  try {
    await handler(message);
  } catch (error) {
    try {
      await seen.release(claim);
    } catch (unreleased) {
      reported('release', unreleased);
    }
    return failed(message, error);
  }
  try {
    await seen.finish({ id, forgetAt: nowSeconds() + rememberedSeconds });
  } catch (error) {
    // It was handled, so the sender must not be asked for another attempt: that one would be handled again.
    reported('finish', error);
  }
  return { kind: 'handled', status: 204, headers: [], body: null, message };
};
