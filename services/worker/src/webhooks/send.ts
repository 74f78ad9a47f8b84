import { signWebhook } from '@grantlog/crypto';
import { type Egress, type EgressOutcome, tellTenant } from '@grantlog/egress';
import type { AttemptRecord, ClaimedDelivery } from '@grantlog/postgres';
import type { Receiver } from './receiver.ts';
import { nextAttemptIn, parseRetryAfter } from './retry-schedule.ts';

export type SendContext = {
  readonly egress: Pick<Egress, 'request'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
};

const outcomeOf = (answer: EgressOutcome): AttemptRecord['outcome'] => {
  switch (answer.kind) {
    case 'refused':
      return 'refused';
    case 'failed':
      return 'unreachable';
    case 'response':
      if (answer.status >= 200 && answer.status < 300) return 'delivered';
      // "Gone" is the receiver's word for: never again.
      return answer.status === 410 ? 'gone' : 'rejected';
  }
};

const retryIn = (context: SendContext, delivery: ClaimedDelivery, answer: EgressOutcome): number | null => {
  const retryAfterMs = answer.kind === 'response' ? parseRetryAfter(answer.headers['retry-after'], context.now()) : null;
  return nextAttemptIn({ failures: delivery.failures + 1, retryAfterMs, random: context.random() });
};

/**
 * Makes one attempt: signs the fixed body anew, sends it once, and says how it ended and when to try again.
 * Redirects are answers like any other that is not 2xx: failures, never followed.
 */
export const sendDelivery = async (context: SendContext, receiver: Receiver, delivery: ClaimedDelivery): Promise<AttemptRecord> => {
  const timestampSeconds = Math.floor(context.now() / 1000);
  const answer = await context.egress.request({
    url: receiver.url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Grantlog-Webhooks/1',
      'webhook-id': delivery.id,
      'webhook-timestamp': String(timestampSeconds),
      'webhook-signature': signWebhook({ id: delivery.id, timestampSeconds, body: delivery.body, secrets: receiver.secrets }),
    },
    body: delivery.body,
    allowLoopback: receiver.allowLoopback,
  });
  const outcome = outcomeOf(answer);
  return {
    id: delivery.id,
    attempt: delivery.attempt,
    outcome,
    status: answer.kind === 'response' ? answer.status : null,
    detail: tellTenant(answer),
    durationMs: answer.kind === 'refused' ? null : answer.durationMs,
    retryInMs: outcome === 'delivered' || outcome === 'gone' ? null : retryIn(context, delivery, answer),
  };
};
