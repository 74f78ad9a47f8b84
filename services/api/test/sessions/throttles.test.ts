import { uuidv7 } from '@grantlog/crypto';
import type { SessionId } from '@grantlog/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { admitPoll, admitSignUp, admitUserCode } from '../../src/sessions/throttles.ts';
import { createWorld, type World } from '../management/support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
});
beforeEach(() => world.deps.pool.query('delete from attempt_bucket'));
afterAll(() => world.close());

/** Lets every bucket drain by so many seconds. */
const pass = (seconds: number) => world.deps.pool.query('update attempt_bucket set at = at - make_interval(secs => $1)', [seconds]);
const times = async <Outcome>(count: number, work: (nth: number) => Promise<Outcome>): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (let nth = 0; nth < count; nth += 1) outcomes.push(await work(nth));
  return outcomes;
};

/** How many are admitted before the first refusal, and how many the bucket has room for by then, which drains meanwhile. */
const untilRefused = async <Outcome extends { readonly outcome: string }>(
  size: { readonly capacity: number; readonly secondsEach: number },
  work: (nth: number) => Promise<Outcome>,
) => {
  const began = Date.now();
  let admitted = 0;
  let last = await work(0);
  while (last.outcome === 'admitted') {
    admitted += 1;
    last = await work(admitted);
  }
  return { admitted, last, room: size.capacity + (Date.now() - began) / 1000 / size.secondsEach };
};

describe('sign-ups', () => {
  const begin = (address: string, webhookHost: string | null = null, platform = world.arlo) =>
    admitSignUp(world.deps, { platform, address, webhookHost });
  const ofAddress = { capacity: 100, secondsEach: 6 };
  const ofHost = { capacity: 120, secondsEach: 3 };

  test('are a hundred at once from one address, then one every six seconds', async () => {
    const { admitted, last, room } = await untilRefused(ofAddress, () => begin('203.0.113.1'));
    expect(admitted).toBeGreaterThanOrEqual(100);
    expect(admitted).toBeLessThanOrEqual(room);
    expect(last).toEqual({ outcome: 'refused', retryAfter: expect.any(Number), which: 'address' });
    const { retryAfter } = last as { readonly retryAfter: number };
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(6);
    await pass(6);
    expect(await begin('203.0.113.1')).toEqual({ outcome: 'admitted' });
  });

  test('never exceed their budget by coming at once', async () => {
    const began = Date.now();
    const outcomes = await Promise.all(Array.from({ length: 140 }, () => begin('203.0.113.2')));
    const admitted = outcomes.filter(({ outcome }) => outcome === 'admitted').length;
    expect(admitted).toBeGreaterThanOrEqual(100);
    expect(admitted).toBeLessThanOrEqual(101 + (Date.now() - began) / 6_000);
  });

  test('of one address are held up on no other address and no other platform', async () => {
    const { last } = await untilRefused(ofAddress, (nth) => begin(`2001:db8:0:1::${nth.toString(16)}`));
    expect(last.outcome).toBe('refused');
    expect(await begin('2001:db8:0:2::1')).toEqual({ outcome: 'admitted' });
    expect(await begin('2001:db8:0:1::1', null, world.along)).toEqual({ outcome: 'admitted' });
  });

  test('name one webhook host a hundred and twenty times, from wherever they come and however it is spelled', async () => {
    const { admitted, last, room } = await untilRefused(ofHost, (nth) =>
      begin(`198.51.${Math.floor(nth / 250)}.${nth % 250}`, `${nth % 2 === 0 ? 'agent' : 'AGENT'}.example${'.'.repeat(nth % 5)}`),
    );
    expect(admitted).toBeGreaterThanOrEqual(120);
    expect(admitted).toBeLessThanOrEqual(room);
    expect(last).toMatchObject({ outcome: 'refused', which: 'webhook_host' });
    expect(await begin('203.0.113.3', 'other.example')).toEqual({ outcome: 'admitted' });
    await pass(3);
    expect(await begin('203.0.113.3', 'agent.example')).toEqual({ outcome: 'admitted' });
  });

  test('take nothing from an address where the webhook host refuses them', async () => {
    await untilRefused(ofHost, (nth) => begin(`198.51.${Math.floor(nth / 250)}.${nth % 250}`, 'full.example'));
    const refused = await times(150, () => begin('203.0.113.4', 'full.example'));
    // Some find room that has drained; the others would have used the address up.
    expect(refused.filter(({ outcome }) => outcome === 'refused').length).toBeGreaterThan(100);
    expect(await begin('203.0.113.4')).toEqual({ outcome: 'admitted' });
  });

  test('leave no address and no host in the table', async () => {
    await begin('203.0.113.77', 'canary-host.example');
    const { rows } = await world.deps.pool.query<{ key: string }>(`select encode(key, 'escape') as key from attempt_bucket`);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toMatch(/203\.0\.113|canary/);
  });
});

describe('polls of a pending session', () => {
  const session = (): SessionId => uuidv7(Date.now()) as SessionId;
  const start = 1_800_000_000_000;
  /** Which of the polls at these seconds are let through. */
  const at = async (id: SessionId, seconds: readonly number[], intervalSeconds = 5, platform = world.arlo): Promise<readonly boolean[]> =>
    times(seconds.length, (nth) =>
      admitPoll(world.deps, { platform, session: id, intervalSeconds, now: start + (seconds[nth] ?? 0) * 1000 }),
    );

  test('are let through at their interval, for as long as the session lives', async () => {
    const seconds = Array.from({ length: 180 }, (_, nth) => nth * 5);
    expect(new Set(await at(session(), seconds))).toEqual(new Set([true]));
  });

  test('are forgiven a second that the network took, once', async () => {
    expect(await at(session(), [0.9, 5, 10])).toEqual([true, true, true]);
    expect(await at(session(), [0, 4, 8, 12])).toEqual([true, true, false, true]);
  });

  test('are refused when they come sooner, and let through after the five seconds more that slow_down asks for', async () => {
    expect(await at(session(), [0, 1, 2, 12, 22])).toEqual([true, false, false, true, true]);
    expect(await at(session(), [0, 10, 39, 70], 30)).toEqual([true, false, true, true]);
  });

  test('of one session hold up no other, nor the same id of another platform', async () => {
    const id = session();
    expect(await at(id, [0, 0.5, 1])).toEqual([true, false, false]);
    expect(await at(session(), [1])).toEqual([true]);
    expect(await at(id, [1], 5, world.along)).toEqual([true]);
  });
});

describe('user codes', () => {
  const guess = (address: string, platform = world.arlo) => admitUserCode(world.deps, { platform, address });

  test('are ten wrong ones from one address, then one a minute', async () => {
    await times(10, () => guess('203.0.113.5'));
    const refused = await guess('203.0.113.5');
    expect(refused).toMatchObject({ outcome: 'refused' });
    expect((refused as { readonly retryAfter: number }).retryAfter).toBeGreaterThan(50);
    expect(await guess('203.0.113.6')).toMatchObject({ outcome: 'admitted' });
    expect(await guess('203.0.113.5', world.along)).toMatchObject({ outcome: 'admitted' });
    await pass(60);
    expect(await guess('203.0.113.5')).toMatchObject({ outcome: 'admitted' });
  });

  test('cost nothing when they were right', async () => {
    for (let nth = 0; nth < 30; nth += 1) {
      const admission = await guess('203.0.113.7');
      if (admission.outcome === 'refused') throw new Error('refused what was given back');
      await admission.giveBack();
    }
  });

  test('are three from each address while they are guessed from everywhere, and nobody is locked out', async () => {
    await guess('203.0.113.8');
    // The gauge is the one row that does not drain.
    await world.deps.pool.query('update attempt_bucket set level = 1001 where drain = 0');
    const outcomes = await times(4, () => guess('203.0.113.9'));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['admitted', 'admitted', 'admitted', 'refused']);
    expect(await guess('203.0.113.10')).toMatchObject({ outcome: 'admitted' });
    await pass(300);
    expect(await guess('203.0.113.9')).toMatchObject({ outcome: 'admitted' });
  });
});
