import { createWebhookSecret } from '@grantlog/crypto';
import type { Egress, EgressOutcome } from '@grantlog/egress';
import type { StreamId } from '@grantlog/eventsourcing';
import type { Message } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import type { Receiver } from '../src/webhooks/receiver.ts';
import { deliveryRules } from '../src/webhooks/rules.ts';
import { sendDelivery } from '../src/webhooks/send.ts';
import { deliveryOf, receiverOf } from './support/stage.ts';

type Request = Parameters<Egress['request']>[0];

const now = Date.UTC(2026, 10, 21, 10, 0, 0, 500);
const delivery = deliveryOf('0192d1c5-0000-7000-8000-000000000001');
const message: Message = {
  id: delivery.id,
  subject: 'a-grant' as StreamId,
  position: 7,
  type: 'grant.revoked',
  body: JSON.stringify({ type: 'grant.revoked', timestamp: new Date(now).toISOString(), data: { grantId: 'a-grant' } }),
  recordedAt: new Date(now - 60_000),
  trace: null,
};
const answered = (status: number, of: { readonly headers?: Record<string, string>; readonly body?: string } = {}): EgressOutcome => ({
  kind: 'response',
  status,
  headers: of.headers ?? {},
  body: Buffer.from(of.body ?? ''),
  truncated: false,
  durationMs: 20,
});

/** Makes one attempt at a receiver that gives these answers, and tells what it was sent. */
const attempt = async (
  answers: EgressOutcome | readonly EgressOutcome[],
  of: { readonly receiver?: Partial<Receiver>; readonly failures?: number } = {},
) => {
  const requests: Request[] = [];
  const left = 'kind' in answers ? [answers] : [...answers];
  const egress = {
    request: async (request: Request): Promise<EgressOutcome> => {
      requests.push(request);
      return left.shift() ?? answered(500);
    },
  };
  const receiver = receiverOf({ secrets: [createWebhookSecret()], ...of.receiver });
  const context = { egress, now: () => now, random: () => 0.5, rules: deliveryRules };
  const ended = await sendDelivery(context, receiver, { delivery: { ...delivery, failures: of.failures ?? 0 }, message });
  if (ended === null) throw new Error('it was not sent');
  return { ...ended, requests };
};

describe('an attempt', () => {
  test.each([
    [answered(200), 'delivered', 'delivered'],
    [answered(299), 'delivered', 'delivered'],
    [answered(301, { headers: { location: 'https://elsewhere.example/' } }), 'rejected', 'pending'],
    [answered(400), 'rejected', 'pending'],
    [answered(500), 'rejected', 'pending'],
    [answered(410), 'gone', 'failed'],
    [answered(422, { headers: { 'webhook-delivery': ' Stop ' } }), 'stopped', 'stopped'],
    [answered(422, { headers: { 'webhook-delivery': 'abort-message' } }), 'stopped', 'stopped'],
    [answered(200, { headers: { 'webhook-delivery': 'stop' } }), 'delivered', 'delivered'],
    [{ kind: 'failed', reason: 'timeout', durationMs: 10_000 }, 'unreachable', 'pending'],
    [{ kind: 'refused', why: 'address_not_allowed' }, 'refused', 'pending'],
  ] as const)('answered by %o is %s, and its delivery %s', async (answer, outcome, state) => {
    expect((await attempt(answer)).record).toMatchObject({ outcome, state });
  });

  test('disables the endpoint where its receiver is gone or says so, also with a success, and never otherwise', async () => {
    const disable = { 'webhook-delivery': 'disable' };
    for (const answer of [answered(410), answered(500, { headers: disable }), answered(200, { headers: disable })])
      expect((await attempt(answer)).disable).toBe(true);
    for (const answer of [answered(500), answered(404), answered(422, { headers: { 'webhook-delivery': 'stop' } })])
      expect((await attempt(answer)).disable).toBe(false);
  });

  test('that fails is made again on schedule, and given up with the last delay', async () => {
    const { retryDelays } = deliveryRules;
    for (const [failures, delay] of retryDelays.entries())
      expect((await attempt(answered(500), { failures })).record).toMatchObject({ state: 'pending', retryInMs: delay });
    const last = await attempt(answered(500), { failures: retryDelays.length });
    expect(last.record).toMatchObject({ outcome: 'rejected', state: 'failed', retryInMs: null });
  });

  test('at a URL that is not proved is given up after six', async () => {
    const receiver = { verified: false };
    expect((await attempt(answered(500), { receiver, failures: 4 })).record.state).toBe('pending');
    expect((await attempt(answered(500), { receiver, failures: 5 })).record.state).toBe('failed');
  });

  test('comes no sooner than the receiver asks, who has everything wait by 429 and 503 alone', async () => {
    const headers = { 'retry-after': '600' };
    for (const [status, pauseMs] of [
      [429, 600_000],
      [503, 600_000],
      [500, null],
    ] as const) {
      const ended = await attempt(answered(status, { headers }));
      expect(ended.record.retryInMs).toBe(600_000);
      expect(ended.pauseMs).toBe(pauseMs);
    }
  });
});

describe('a request', () => {
  test('says what it is, whatever headers its endpoint has', async () => {
    const receiver = { headers: { 'webhook-id': 'another', 'x-theirs': 'kept' }, keyId: 'the-key', allowLoopback: true };
    const { requests, recordedAt } = await attempt(answered(204), { receiver });
    expect(requests).toMatchObject([
      {
        method: 'POST',
        url: receiverOf().url,
        body: message.body,
        allowLoopback: true,
        headers: {
          'x-theirs': 'kept',
          'webhook-id': delivery.id,
          'webhook-timestamp': String(Math.floor(now / 1_000)),
          'webhook-key-id': 'the-key',
          'content-type': 'application/json',
        },
      },
    ]);
    expect(recordedAt).toBe(now - 60_000);
  });

  test('repeats what its endpoint wants repeated, and what is kept of the answer has none of our secrets', async () => {
    const secret = createWebhookSecret();
    const receiver = { secrets: [secret], bearers: ['the-token'], headers: { 'x-key': 'their-key' }, echo: { sessionKey: 'k' } };
    const answer = answered(500, { body: `the-token their-key ${secret} and no more` });
    const { requests, record } = await attempt(answer, { receiver });
    expect(JSON.parse(String(requests[0]?.body)).data).toEqual({ sessionKey: 'k', grantId: 'a-grant' });
    expect(record.response).toBe('[redacted] [redacted] [redacted] and no more');
  });
});

describe('a token that is being rotated', () => {
  const receiver = { bearers: ['newest', 'previous'] };
  const bearers = (requests: readonly Request[]) => requests.map(({ headers }) => headers?.['authorization']);

  test.each([401, 403])(
    'is tried in its previous form where the newest one is answered with %s, and that answer counts',
    async (status) => {
      const { requests, record } = await attempt([answered(status), answered(204)], { receiver });
      expect(bearers(requests)).toEqual(['Bearer newest', 'Bearer previous']);
      expect(requests[1]?.timeoutMs).toBe(10_000 - 20);
      expect(record).toMatchObject({ outcome: 'delivered', status: 204, durationMs: 40 });
    },
  );

  test('is tried once where the answer is about something else, where there is no other, and where the time is over', async () => {
    expect((await attempt(answered(500), { receiver })).requests).toHaveLength(1);
    expect((await attempt(answered(401), { receiver: { bearers: ['only'] } })).requests).toHaveLength(1);
    const late = { ...answered(401), durationMs: 10_000 } as EgressOutcome;
    const { requests, record } = await attempt(late, { receiver });
    expect(requests).toHaveLength(1);
    expect(record).toMatchObject({ outcome: 'rejected', status: 401 });
  });
});
