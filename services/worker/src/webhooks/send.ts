import { randomUuid, signWebhook } from '@grantlog/crypto';
import { type Egress, type EgressOutcome, tellTenant } from '@grantlog/egress';
import type { AttemptOutcome, AttemptRecord, Message, TakenDelivery } from '@grantlog/postgres';
import { type SignalStream, signalToken } from '@grantlog/provisioning';
import { recordedTrace, spanOf, spellTraceparent } from '@grantlog/runtime';
import { withEcho } from './body.ts';
import { keptResponse } from './kept-response.ts';
import type { Receiver } from './receiver.ts';
import { nextAttemptIn, parseRetryAfter } from './retry-schedule.ts';
import type { DeliveryRules } from './rules.ts';

export type SendContext = {
  readonly egress: Pick<Egress, 'request'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: () => number;
  readonly rules: Pick<DeliveryRules, 'retryDelays'>;
};

/** What an attempt came to, for its delivery and for its endpoint. */
export type Attempt = {
  readonly record: AttemptRecord;
  /** Where the event stands that it tells of, and when that was recorded; milliseconds since the epoch. */
  readonly position: number;
  readonly recordedAt: number;
  /** What the receiver wants besides: to be disabled, or that everything of its endpoint waits for so many milliseconds. */
  readonly disable: boolean;
  readonly pauseMs: number | null;
};

const userAgent = 'Grantlog-Webhooks/1';

/** Milliseconds for both requests of an attempt together: what egress gives one. */
const attemptBudgetMs = 10_000;

/** How a receiver controls what it is sent, by a header of its answer. */
type Control = 'stop' | 'disable' | null;

// The values of Svix's header of that name, and a plainer one.
const controls: Readonly<Record<string, Control>> = { 'abort-message': 'stop', stop: 'stop', disable: 'disable' };
const controlOf = (answer: EgressOutcome): Control =>
  answer.kind === 'response' ? (controls[answer.headers['webhook-delivery']?.trim().toLowerCase() ?? ''] ?? null) : null;

const outcomeOf = (answer: EgressOutcome, control: Control): AttemptOutcome => {
  switch (answer.kind) {
    case 'refused':
      return 'refused';
    case 'failed':
      return 'unreachable';
    case 'response':
      if (answer.status >= 200 && answer.status < 300) return 'delivered';
      // "Gone" is the receiver's word for: never again.
      if (answer.status === 410) return 'gone';
      return control === null ? 'rejected' : 'stopped';
  }
};

/** Whether it waited for a connection until its time was over: the receiver has no part in that. */
const isUnsent = (answer: EgressOutcome): boolean => answer.kind === 'failed' && answer.reason === 'crowded';

const durationOf = (answer: EgressOutcome): number => (answer.kind === 'refused' ? 0 : answer.durationMs);

const refusesToken = (answer: EgressOutcome): boolean => answer.kind === 'response' && (answer.status === 401 || answer.status === 403);

const retryAfterOf = (context: SendContext, answer: EgressOutcome): number | null =>
  answer.kind === 'response' ? parseRetryAfter(answer.headers['retry-after'], context.now()) : null;

/** Whether an answer asks for patience with everything, and not with this message alone. */
const asksForPatience = (answer: EgressOutcome): boolean => answer.kind === 'response' && (answer.status === 429 || answer.status === 503);

const detailOf = (answer: EgressOutcome, control: Control): string => {
  switch (control) {
    case null:
      return tellTenant(answer);
    case 'stop':
      return `${tellTenant(answer)} and wants no more attempts at this message`;
    case 'disable':
      return `${tellTenant(answer)} and wants no more webhooks`;
  }
};

const stateAfter = (outcome: AttemptOutcome, retryInMs: number | null): AttemptRecord['state'] => {
  switch (outcome) {
    case 'delivered':
      return 'delivered';
    case 'stopped':
      return 'stopped';
    case 'gone':
    case 'rejected':
    case 'unreachable':
    case 'refused':
      return retryInMs === null ? 'failed' : 'pending';
  }
};

/** What is sent in an attempt, and what of it must not be kept where the receiver repeats it. */
type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly secrets: readonly string[] };

const webhookOf = (receiver: Receiver, { id, body: fixed }: Message, timestampSeconds: number): Sent => {
  const { platformKey, keyId } = receiver;
  const body = withEcho(fixed, receiver.echo);
  const keys = platformKey === null ? [] : [platformKey];
  const signature = signWebhook({ id, timestampSeconds, body, secrets: receiver.secrets, keys });
  const headers = {
    ...receiver.headers,
    'content-type': 'application/json',
    'user-agent': userAgent,
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signature,
    ...(keyId === null ? {} : { 'webhook-key-id': keyId }),
  };
  return { headers, body, secrets: signature.split(' ') };
};

/** @see RFC 8935 §2.1 */
const signalOf = async (stream: SignalStream, message: Message): Promise<Sent | null> => {
  const token = await signalToken(stream, message);
  if (token === null) return null;
  const headers = { 'content-type': 'application/secevent+jwt', accept: 'application/json', 'user-agent': userAgent };
  return { headers, body: token, secrets: [token] };
};

/** Makes no attempt: since the message was told, the receiver has changed what it asks for. */
const notWanted = (message: Message, beganAt: number): Attempt => ({
  position: message.position,
  recordedAt: message.recordedAt.getTime(),
  record: {
    id: message.id,
    outcome: 'stopped',
    status: null,
    detail: 'The receiver has since asked for no security event of this kind',
    beganAt,
    durationMs: null,
    response: null,
    state: 'stopped',
    retryInMs: null,
  },
  disable: false,
  pauseMs: null,
});

/**
 * Makes one attempt: signs the body anew, sends it, and says how it ended and when to try again.
 *
 * The body is as it was fixed, with what the endpoint wants repeated; the trace is that of its event, with a span of this
 * attempt. Where the endpoint's token is being rotated, the newest one goes first; a receiver that answers it with 401 or 403
 * is sent the same message once more with the previous one, and that answer counts. Redirects are answers like any other that
 * is not 2xx: failures, never followed.
 *
 * Null where too much else was under way for it to be sent at all: that is no attempt, and says nothing of the receiver.
 */
export const sendDelivery = async (
  context: SendContext,
  receiver: Receiver,
  { delivery, message }: { readonly delivery: TakenDelivery; readonly message: Message },
): Promise<Attempt | null> => {
  const { signals } = receiver;
  const beganAt = context.now();
  const sent = signals === null ? webhookOf(receiver, message, Math.floor(beganAt / 1000)) : await signalOf(signals, message);
  if (sent === null) return notWanted(message, beganAt);
  const { body } = sent;
  const span = spanOf(randomUuid(), recordedTrace({ traceparent: message.trace, id: message.id }));
  const headers = { ...sent.headers, traceparent: spellTraceparent(span) };
  // A stream of security events names the whole value of its header (SSF 1.0 §7.1.1).
  const scheme = signals === null ? 'Bearer ' : '';
  const post = (bearer: string | undefined, limits: { readonly timeoutMs?: number } = {}): Promise<EgressOutcome> =>
    context.egress.request({
      url: receiver.url,
      method: 'POST',
      headers: bearer === undefined ? headers : { ...headers, authorization: `${scheme}${bearer}` },
      body,
      allowLoopback: receiver.allowLoopback,
      ...limits,
    });
  const [newest, previous] = receiver.bearers;
  const first = await post(newest);
  const left = attemptBudgetMs - durationOf(first);
  const again = previous !== undefined && refusesToken(first) && left > 0;
  const answer = again ? await post(previous, { timeoutMs: left }) : first;

  if (isUnsent(answer)) return null;

  const control = controlOf(answer);
  const outcome = outcomeOf(answer, control);
  const retryAfterMs = retryAfterOf(context, answer);
  const mayRetry = outcome === 'rejected' || outcome === 'unreachable' || outcome === 'refused';
  const retryInMs = mayRetry
    ? nextAttemptIn({
        failures: delivery.failures + 1,
        retryAfterMs,
        random: context.random(),
        isVerified: receiver.verified,
        delays: context.rules.retryDelays,
      })
    : null;
  return {
    position: message.position,
    recordedAt: message.recordedAt.getTime(),
    record: {
      id: delivery.id,
      outcome,
      status: answer.kind === 'response' ? answer.status : null,
      detail: detailOf(answer, control),
      beganAt,
      durationMs: answer.kind === 'refused' ? null : durationOf(answer) + (again ? durationOf(first) : 0),
      response: keptResponse(answer, [...receiver.secrets, ...receiver.bearers, ...Object.values(receiver.headers), ...sent.secrets]),
      state: stateAfter(outcome, retryInMs),
      retryInMs,
    },
    disable: outcome === 'gone' || control === 'disable',
    pauseMs: asksForPatience(answer) ? retryAfterMs : null,
  };
};
