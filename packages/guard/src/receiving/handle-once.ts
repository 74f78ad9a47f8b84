import type { OnProblem } from '../problem.ts';
import { rememberedSeconds, type SeenWebhooks } from './seen.ts';

export type HandlingRules = {
  readonly seen: SeenWebhooks;
  readonly settings: {
    /** Milliseconds since the epoch. */
    readonly now: () => number;
    readonly handlingSeconds: number;
  };
  readonly report: OnProblem;
};

/** What has become of one attempt. */
export type Handling =
  | { readonly kind: 'handled' }
  /** It was handled before, and was not handled again. */
  | { readonly kind: 'repeated' }
  /** Nothing is remembered, so the next attempt is handled. */
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'in_progress' }
  | { readonly kind: 'not_remembered' };

/**
 * Has what was found genuine handled once. Its id counts as handled when the handler has ended well and not before: marked earlier,
 * what a crash interrupts would be lost, as the next attempt would be taken for a repeat.
 */
export const handleOnce = async (rules: HandlingRules, id: string, handle: () => unknown): Promise<Handling> => {
  const { seen, settings, report } = rules;
  const nowSeconds = (): number => Math.floor(settings.now() / 1000);
  const reported = (step: string, error: unknown): void =>
    report({ kind: 'webhooks_not_kept', message: `${step} of seen failed: ${error instanceof Error ? error.name : 'it threw'}` });

  const claim = { id, until: nowSeconds() + settings.handlingSeconds };
  try {
    const claimed = await seen.claim(claim);
    if (claimed === 'handled') return { kind: 'repeated' };
    if (claimed === 'in_progress') return { kind: 'in_progress' };
  } catch (error) {
    reported('claim', error);
    return { kind: 'not_remembered' };
  }
  try {
    await handle();
  } catch (error) {
    try {
      await seen.release(claim);
    } catch (unreleased) {
      reported('release', unreleased);
    }
    return { kind: 'failed', error };
  }
  try {
    await seen.finish({ id, forgetAt: nowSeconds() + rememberedSeconds });
  } catch (error) {
    // It was handled, so the sender must not be asked for another attempt: that one would be handled again.
    reported('finish', error);
  }
  return { kind: 'handled' };
};
