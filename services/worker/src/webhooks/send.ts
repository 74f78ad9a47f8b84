import { signWebhook } from '@grantlog/crypto';
import { type Egress, type EgressOutcome, tellTenant } from '@grantlog/egress';
import type { AttemptRecord, ClaimedDelivery } from '@grantlog/postgres';
import { withEcho } from './body.ts';
import type { Receiver } from './receiver.ts';
import { nextAttemptIn, parseRetryAfter } from './retry-schedule.ts';

export type SendContext = {
  readonly egress: Pick<Egress, 'request'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
};

/** Milliseconds for both requests of an attempt together: what egress gives one. */
const attemptBudgetMs = 10_000;

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

const durationOf = (answer: EgressOutcome): number => (answer.kind === 'refused' ? 0 : answer.durationMs);

const refusesToken = (answer: EgressOutcome): boolean => answer.kind === 'response' && (answer.status === 401 || answer.status === 403);

const retryIn = (context: SendContext, delivery: ClaimedDelivery, answer: EgressOutcome): number | null => {
  const retryAfterMs = answer.kind === 'response' ? parseRetryAfter(answer.headers['retry-after'], context.now()) : null;
  return nextAttemptIn({ failures: delivery.failures + 1, retryAfterMs, random: context.random() });
};

/**
 * Makes one attempt: signs the body anew, sends it, and says how it ended and when to try again.
 *
 * The body is as it was fixed, with what the endpoint wants repeated. Where the endpoint's token is being rotated, the
 * newest one goes first; a receiver that answers it with 401 or 403 is sent the same message once more with the previous
 * one, and that answer counts. Redirects are answers like any other that is not 2xx: failures, never followed.
 */
export const sendDelivery = async (context: SendContext, receiver: Receiver, delivery: ClaimedDelivery): Promise<AttemptRecord> => {
  const { platformKey } = receiver;
  const timestampSeconds = Math.floor(context.now() / 1000);
  const body = withEcho(delivery.body, receiver.echo());
  const keys = platformKey === null ? [] : [platformKey];
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Grantlog-Webhooks/1',
    'webhook-id': delivery.id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signWebhook({ id: delivery.id, timestampSeconds, body, secrets: receiver.secrets, keys }),
    ...(platformKey === null ? {} : { 'webhook-key-id': platformKey.kid }),
  };
  const post = (bearer: string | undefined, limits: { readonly signal?: AbortSignal } = {}): Promise<EgressOutcome> =>
    context.egress.request({
      url: receiver.url,
      method: 'POST',
      headers: bearer === undefined ? headers : { ...headers, authorization: `Bearer ${bearer}` },
      body,
      allowLoopback: receiver.allowLoopback,
      ...limits,
    });
  const [newest, previous] = receiver.bearers;
  const first = await post(newest);
  const left = attemptBudgetMs - durationOf(first);
  const again = previous !== undefined && refusesToken(first) && left > 0;
  const answer = again ? await post(previous, { signal: AbortSignal.timeout(left) }) : first;
  const outcome = outcomeOf(answer);
  return {
    id: delivery.id,
    attempt: delivery.attempt,
    outcome,
    status: answer.kind === 'response' ? answer.status : null,
    detail: tellTenant(answer),
    durationMs: answer.kind === 'refused' ? null : durationOf(answer) + (again ? durationOf(first) : 0),
    retryInMs: outcome === 'delivered' || outcome === 'gone' ? null : retryIn(context, delivery, answer),
  };
};
