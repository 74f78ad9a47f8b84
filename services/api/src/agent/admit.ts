import { admitSignUp } from '../sessions/throttles.ts';
import type { AgentContext } from './context.ts';
import { AgentError } from './errors.ts';

/**
 * Takes from what an address may begin, and from how often a webhook host may be named: each sends that host a request,
 * and nobody is flooded through us.
 *
 * @throws AgentError `rate_limited`
 */
export const admitRequest = async ({ deps, names, from }: AgentContext, webhookUrl: string | undefined): Promise<void> => {
  const webhookHost = URL.parse(webhookUrl ?? '')?.hostname ?? null;
  const admission = await admitSignUp(deps, { platform: names.platform, address: from.address, webhookHost });
  if (admission.outcome === 'admitted') return;
  const { retryAfter, which } = admission;
  const what = which === 'address' ? 'sign-ups and webhooks from this address' : 'requests that name this webhook host';
  throw new AgentError('rate_limited', `Too many ${what}`, { retryAfter, reason: `throttled by ${which}` });
};
