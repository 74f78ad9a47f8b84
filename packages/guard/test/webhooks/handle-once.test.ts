import { createWebhookSecret } from '@grantlog/crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createWebhookReceiver,
  type GuardProblem,
  type SeenWebhooks,
  type WebhookMessage,
  type WebhookReceiverOptions,
} from '../../src/index.ts';
import { createSeenWebhooks } from '../../src/receiving/seen.ts';
import { attempt, message, nowSeconds } from './attempts.ts';
import { describeSeen } from './seen-contract.ts';

const secret = createWebhookSecret();
let now: number;
let problems: GuardProblem[];
let handled: WebhookMessage[];

beforeEach(() => {
  now = nowSeconds * 1000;
  problems = [];
  handled = [];
});

const open = (change: Omit<WebhookReceiverOptions, 'secrets' | 'jwksUri' | 'issuer' | 'url'> = {}) => {
  const { receive } = createWebhookReceiver({
    secrets: secret,
    now: () => now,
    onProblem: (problem) => void problems.push(problem),
    ...change,
  });
  /** The next attempt to send the same one, or another. */
  return (handler: (message: WebhookMessage) => unknown = (each) => handled.push(each), id = message.id) =>
    receive(attempt({ secrets: [secret], id, timestampSeconds: Math.floor(now / 1000) }), handler);
};
const busy = { kind: 'refused', reason: 'in_progress', status: 503, headers: [['Retry-After', '10']] };
const fail = (): never => {
  throw new Error('the database is away');
};

describe('a webhook', () => {
  test('is handled once, and a repeat of it is answered alike without being handled', async () => {
    const receive = open();
    expect(await receive()).toEqual({ kind: 'handled', status: 204, headers: [], body: null, message });
    now += 5_000;
    expect(await receive()).toMatchObject({
      kind: 'repeated',
      status: 204,
      body: null,
      message: { id: message.id, timestamp: nowSeconds + 5 },
    });
    expect(handled).toEqual([message]);
    expect(await receive(undefined, 'another')).toMatchObject({ kind: 'handled' });
  });

  test('that is not genuine is handled by nobody, and does not count as seen', async () => {
    const { receive } = createWebhookReceiver({ secrets: secret, now: () => now });
    const { headers, body } = attempt({ secrets: [secret] });
    expect(await receive({ headers, body: `${body} ` }, (each) => handled.push(each))).toMatchObject({ kind: 'refused' });
    expect(handled).toEqual([]);
    expect(await receive({ headers, body }, (each) => handled.push(each))).toMatchObject({ kind: 'handled' });
  });

  test.each([
    ['throws', fail],
    ['rejects', () => Promise.reject(new Error('the database is away'))],
  ])('whose handler %s is answered with 500, and handled at the next attempt', async (_, broken) => {
    const receive = open();
    const outcome = await receive(broken);
    expect(outcome).toMatchObject({ kind: 'failed', status: 500, message, error: new Error('the database is away') });
    expect(JSON.stringify('body' in outcome && outcome.body)).not.toContain('database');
    expect(await receive()).toMatchObject({ kind: 'handled' });
    expect(handled).toEqual([message]);
  });

  test('that comes again while it is being handled waits for how that ends', async () => {
    const receive = open();
    const handling = Promise.withResolvers<void>();
    const first = receive(() => handling.promise);
    expect(await receive()).toMatchObject(busy);
    handling.resolve();
    expect([(await first).kind, (await receive()).kind]).toEqual(['handled', 'repeated']);
    expect(handled).toEqual([]);
  });

  test('whose handler never comes to an end is handled again after its time, and not before', async () => {
    const receive = open({ handlingSeconds: 20 });
    void receive(() => new Promise(() => undefined));
    expect(await receive()).toMatchObject(busy);
    now += 19_999;
    expect(await receive()).toMatchObject(busy);
    now += 1;
    expect(await receive()).toMatchObject({ kind: 'handled' });
  });

  test('whose handler fails late takes nothing from the attempt that came after it', async () => {
    const receive = open({ handlingSeconds: 20 });
    const [late, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const begin = async (handling: Promise<void>) => {
      const begun = Promise.withResolvers<void>();
      const outcome = receive(() => {
        begun.resolve();
        return handling;
      });
      await begun.promise;
      return { outcome };
    };
    const first = await begin(late.promise);
    now += 20_000;
    const again = await begin(second.promise);
    late.reject(new Error('late'));
    expect(await first.outcome).toMatchObject({ kind: 'failed' });
    expect(await receive()).toMatchObject(busy);
    second.resolve();
    expect(await again.outcome).toMatchObject({ kind: 'handled' });
  });

  test('is remembered longer than its sender tries', async () => {
    const receive = open();
    await receive();
    now += 4 * 86_400_000 - 1;
    expect(await receive()).toMatchObject({ kind: 'repeated' });
    now += 1;
    expect(await receive()).toMatchObject({ kind: 'handled' });
  });

  test('is verified again and again by who keeps ids by itself', async () => {
    const { verify } = createWebhookReceiver({ secrets: secret, now: () => now });
    const sent = attempt({ secrets: [secret] });
    expect([(await verify(sent)).kind, (await verify(sent)).kind]).toEqual(['verified', 'verified']);
  });
});

describeSeen('the memory of a process', () => createSeenWebhooks(Date.now));

describe('the memory of a process, which is bounded,', () => {
  const claimOf = (id: number | string) => ({ id: String(id), until: nowSeconds + 60 });
  const handle = (seen: SeenWebhooks, id: number) => {
    void seen.claim(claimOf(id));
    seen.finish({ id: String(id), forgetAt: nowSeconds + 60 });
  };

  test('holds the last 100,000 and forgets the oldest', () => {
    const seen = createSeenWebhooks(() => now);
    for (let id = 0; id <= 100_000; id += 1) handle(seen, id);
    expect([seen.claim(claimOf(1)), seen.claim(claimOf(100_000)), seen.claim(claimOf(0))]).toEqual(['handled', 'handled', 'claimed']);
  });

  test('begins no more than 10,000 at once', () => {
    const seen = createSeenWebhooks(() => now);
    for (let id = 0; id < 10_000; id += 1) void seen.claim(claimOf(id));
    expect(() => seen.claim(claimOf('one more'))).toThrow(RangeError);
    seen.release(claimOf(7));
    expect(seen.claim(claimOf('one more'))).toBe('claimed');
    now += 60_000;
    expect(seen.claim({ id: 'later', until: nowSeconds + 120 })).toBe('claimed');
  });
});

describe('a store of the receiver', () => {
  const shared = (): SeenWebhooks => {
    const seen = createSeenWebhooks(() => now);
    return {
      claim: async (claim) => seen.claim(claim),
      finish: async (finished) => seen.finish(finished),
      release: async (claim) => seen.release(claim),
    };
  };

  test('has one webhook handled by one process of several', async () => {
    const seen = shared();
    const processes = [open({ seen }), open({ seen }), open({ seen })];
    const outcomes = await Promise.all(processes.map((receive) => receive()));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['handled', 'refused', 'refused']);
    for (const receive of processes) expect(await receive()).toMatchObject({ kind: 'repeated' });
    expect(handled).toHaveLength(1);
  });

  test('loses no webhook of a process that dies while it handles it', async () => {
    const seen = shared();
    void open({ seen })(() => new Promise(() => undefined));
    expect(await open({ seen })()).toMatchObject(busy);
    now += 60_000;
    expect(await open({ seen })()).toMatchObject({ kind: 'handled' });
  });

  const broken = (step: keyof SeenWebhooks): SeenWebhooks => ({ ...shared(), [step]: () => Promise.reject(new Error('away')) });
  const told = (step: string) => [{ kind: 'webhooks_not_kept', message: `${step} of seen failed: Error` }];

  test('that cannot claim has nothing handled: 503, also where it throws at once', async () => {
    expect(await open({ seen: { ...shared(), claim: fail } })()).toMatchObject({ kind: 'refused', reason: 'not_remembered', status: 503 });
    problems.length = 0;
    expect(await open({ seen: broken('claim') })()).toMatchObject({ kind: 'refused', reason: 'not_remembered', status: 503 });
    expect([handled, problems]).toEqual([[], told('claim')]);
  });

  test('that cannot finish changes nothing about what was done', async () => {
    expect(await open({ seen: broken('finish') })()).toMatchObject({ kind: 'handled', status: 204 });
    expect(problems).toEqual(told('finish'));
  });

  test('that cannot give back has the next attempt wait for the time of the claim', async () => {
    const receive = open({ seen: broken('release') });
    expect(await receive(fail)).toMatchObject({ kind: 'failed', status: 500 });
    expect(problems).toEqual(told('release'));
    expect(await receive()).toMatchObject(busy);
    now += 60_000;
    expect(await receive()).toMatchObject({ kind: 'handled' });
  });
});
