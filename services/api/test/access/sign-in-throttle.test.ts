import type { PlatformId } from '@grantlog/eventsourcing';
import { readPersonal } from '@grantlog/provisioning';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { createExplorers, type Explorers } from './support/explorers.ts';

let world: World;
let explorers: Explorers;
let arlo: PlatformId;
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  explorers = createExplorers(world);
  arlo = world.arlo;
});
beforeEach(async () => {
  vi.restoreAllMocks();
  await world.deps.pool.query('delete from attempt_bucket');
});
afterAll(() => world.close());

const wrong = { password: 'not the password' };
/** Wrong passwords for an email from an address, one after the other, each of a new browser. */
const fail = async (email: string, count: number, address: string): Promise<readonly number[]> => {
  const statuses: number[] = [];
  for (let nth = 0; nth < count; nth += 1) statuses.push((await explorers.browser(arlo, address).signIn({ email, ...wrong })).status);
  return statuses;
};
const repeated = (status: number, times: number): readonly number[] => Array.from({ length: times }, () => status);
/** Lets the buckets of everybody drain by so many seconds. */
const pass = (seconds: number) => world.deps.pool.query('update attempt_bucket set at = at - make_interval(secs => $1)', [seconds]);

describe('one account from one address', () => {
  test('has ten wrong passwords; then nothing is looked at, and the page says for how long', async () => {
    const { email, password } = await explorers.person(arlo);
    expect(await fail(email, 10, '203.0.113.1')).toEqual(repeated(400, 10));
    const { passwords } = world.deps.provisioning;
    const hashed = [vi.spyOn(passwords, 'verify'), vi.spyOn(passwords, 'verifyAgainstNothing')];
    const before = (await explorers.attempts(arlo)).length;
    const refused = await explorers.browser(arlo, '203.0.113.1').signIn({ email, password });
    expect(refused.status).toBe(429);
    expect(hashed.map((spy) => spy.mock.calls.length)).toEqual([0, 0]);
    expect((await explorers.attempts(arlo)).length).toBe(before);
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThanOrEqual(20);
    expect(refused.body).toContain(`Try again in ${seconds} seconds`);

    await pass(seconds - 5);
    expect((await explorers.browser(arlo, '203.0.113.1').signIn({ email, password })).status).toBe(429);
    await pass(5);
    expect((await explorers.browser(arlo, '203.0.113.1').signIn({ email, password })).status).toBe(200);
  });

  test('is not held up by what came to good', async () => {
    const person = await explorers.person(arlo);
    for (let nth = 0; nth < 15; nth += 1) expect((await explorers.browser(arlo, '203.0.113.2').signIn(person)).status).toBe(200);
  });

  test('is the whole /64 of an IPv6 address', async () => {
    const { email } = await explorers.person(arlo);
    for (let nth = 1; nth <= 10; nth += 1) await fail(email, 1, `2001:db8:0:1::${nth}`);
    expect(await fail(email, 1, '2001:db8:0:1:ffff::1')).toEqual([429]);
    expect(await fail(email, 1, '2001:db8:0:2::1')).toEqual([400]);
  });

  test('is another on another platform', async () => {
    const { email } = await explorers.person(arlo);
    await fail(email, 10, '203.0.113.3');
    expect(await fail(email, 1, '203.0.113.3')).toEqual([429]);
    expect((await explorers.browser(world.along, '203.0.113.3').signIn({ email, ...wrong })).status).toBe(400);
  });
});

test('one address has a hundred wrong passwords for all accounts together', async () => {
  // Every email is another account; argon2 of a hundred attempts is not what is tested.
  vi.spyOn(world.deps.provisioning.passwords, 'verifyAgainstNothing').mockResolvedValue(false);
  for (let nth = 0; nth < 100; nth += 1) expect(await fail(`spray-${nth}@example.com`, 1, '203.0.113.4')).toEqual([400]);
  expect(await fail('spray-100@example.com', 1, '203.0.113.4')).toEqual([429]);
  expect(await fail('spray-100@example.com', 1, '203.0.113.5')).toEqual([400]);
}, 60_000);

describe('an account that fails everywhere', () => {
  test('has three attempts from an address that is new to it, and is never closed', async () => {
    const person = await explorers.person(arlo);
    const { passwords } = world.deps.provisioning;
    vi.spyOn(passwords, 'verify').mockResolvedValue(false);
    for (let nth = 1; nth <= 101; nth += 1) await fail(person.email, 1, `198.51.100.${nth}`);
    expect(await fail(person.email, 4, '203.0.113.6')).toEqual([400, 400, 400, 429]);
    vi.restoreAllMocks();
    const refused = await explorers.browser(arlo, '203.0.113.6').signIn(person);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(20);
    expect((await explorers.browser(arlo, '203.0.113.7').signIn(person)).status).toBe(200);
  }, 60_000);
});

describe('a browser that the account has used before', () => {
  test('signs in at the address of whoever has used that up, and has a budget of its own', async () => {
    const person = await explorers.person(arlo);
    const known = explorers.browser(arlo, '203.0.113.8');
    expect((await known.signIn(person)).status).toBe(200);
    await fail(person.email, 10, '203.0.113.8');
    expect((await explorers.browser(arlo, '203.0.113.8').signIn(person)).status).toBe(429);
    expect((await known.signIn(person)).status).toBe(200);
    for (let nth = 0; nth < 10; nth += 1) expect((await known.signIn({ email: person.email, ...wrong })).status).toBe(400);
    expect((await known.signIn(person)).status).toBe(429);
    // It took nothing from those of strangers.
    expect((await explorers.browser(arlo, '203.0.113.9').signIn(person)).status).toBe(200);
  });

  test('is a stranger for other accounts, and where its cookie is not ours', async () => {
    const [victim, attacker] = [await explorers.person(arlo), await explorers.person(arlo)];
    const browser = explorers.browser(arlo, '203.0.113.10');
    await browser.signIn(attacker);
    expect(browser.cookies.has('grantlog-arlo-known')).toBe(true);
    await fail(victim.email, 10, '203.0.113.10');
    expect((await browser.signIn({ email: victim.email, ...wrong })).status).toBe(429);

    const forged = explorers.browser(arlo, '203.0.113.10');
    const value = Buffer.from(JSON.stringify({ device: 'x', accounts: [victim.id] })).toString('base64url');
    forged.cookies.set('grantlog-arlo-known', value);
    expect((await forged.signIn(victim)).status).toBe(429);
    // One of another platform is not ours, either.
    const elsewhere = explorers.browser(arlo, '203.0.113.10');
    elsewhere.cookies.set('grantlog-along-known', browser.cookies.get('grantlog-arlo-known') ?? '');
    expect((await elsewhere.signIn(victim)).status).toBe(429);
  });

  test('keeps those who share it apart from strangers', async () => {
    const people = [await explorers.person(arlo), await explorers.person(arlo)] as const;
    const browser = explorers.browser(arlo, '203.0.113.11');
    for (const person of people) expect((await browser.signIn(person)).status).toBe(200);
    await fail(people[0].email, 10, '203.0.113.11');
    expect((await browser.signIn(people[0])).status).toBe(200);
  });
});

describe('what is written', () => {
  test('is the same for an email that nobody has, and the pages are the same', async () => {
    const { email, id } = await explorers.person(arlo);
    const before = (await explorers.attempts(arlo)).length;
    const [known, unknown] = [
      await explorers.browser(arlo).signIn({ email, ...wrong }),
      await explorers.browser(arlo).signIn({ email: 'nobody@example.com', ...wrong }),
    ];
    expect(unknown.status).toBe(known.status);
    expect(unknown.body).toBe(known.body);
    const recorded = (await explorers.attempts(arlo)).slice(before);
    expect(recorded.map(({ type, data }) => ({ type, data }))).toEqual([
      { type: 'sign_in.failed', data: { account: id, reason: 'wrong_password', via: 'form' } },
      { type: 'sign_in.failed', data: { account: null, reason: 'unknown_account', via: 'form' } },
    ]);
    await fail(email, 9, '127.0.0.1');
    await fail('nobody@example.com', 9, '127.0.0.1');
    expect(await fail(email, 1, '127.0.0.1')).toEqual(await fail('nobody@example.com', 1, '127.0.0.1'));
  });

  test('holds address and browser sealed under the key of the account, for a success as for a failure', async () => {
    const person = await explorers.person(arlo);
    await explorers.browser(arlo, '203.0.113.77').signIn({ email: person.email, ...wrong });
    await explorers.browser(arlo, '203.0.113.77').signIn(person);
    const [failed, succeeded] = (await explorers.attempts(arlo)).slice(-2);
    expect([failed?.type, succeeded?.type]).toEqual(['sign_in.failed', 'sign_in.succeeded']);
    const key = (await world.deps.log.load(arlo, [{ streamId: person.id, withSecrets: true }])).stream(person.id).dataKey;
    for (const event of [failed, succeeded]) {
      if (event === undefined || event.personal === null) throw new Error('nothing is sealed');
      const personal = { streamId: event.streamId, version: event.version, sealed: Buffer.from(event.personal).toString('base64') };
      expect(readPersonal(world.deps.sealer, { platform: arlo, subject: person.id, wrappedKey: key, personal })).toEqual({
        address: '203.0.113.77',
        userAgent: 'a browser of the test',
      });
    }
    const text = await world.everything();
    for (const secret of [person.email, '203.0.113.77', 'a browser of the test']) expect(text).not.toContain(secret);
  });

  test('names nobody in the buckets', async () => {
    const { email } = await explorers.person(arlo);
    await fail(email, 1, '203.0.113.78');
    const { rows } = await world.deps.pool.query<{ key: Buffer }>('select key from attempt_bucket');
    expect(rows.length).toBe(3);
    for (const { key } of rows) {
      expect(key).toHaveLength(32);
      expect(key.toString('latin1')).not.toMatch(/203\.0|example|arlo/);
    }
  });
});

describe('the form', () => {
  test('tells who knows the password of an integration account that it cannot sign in, and nobody else', async () => {
    const { email, password } = await explorers.person(arlo, { kind: 'integration' });
    const told = await explorers.browser(arlo).signIn({ email, password });
    expect(told.status).toBe(400);
    expect(told.body).toContain('integration account');
    expect(told.headers['set-cookie']).toBeUndefined();
    expect((await explorers.attempts(arlo)).at(-1)).toMatchObject({ type: 'sign_in.failed', data: { reason: 'integration_account' } });
    expect((await explorers.browser(arlo).signIn({ email, ...wrong })).body).not.toContain('integration account');
  });

  test('says nothing of a disabled account, and the log says which it was', async () => {
    const person = await explorers.person(arlo);
    await explorers.happen(arlo, person.id, { type: 'account.disabled', data: { reason: 'requested' } });
    const [right, other] = [
      await explorers.browser(arlo).signIn(person),
      await explorers.browser(arlo).signIn({ email: person.email, ...wrong }),
    ];
    expect([right.status, right.body]).toEqual([400, other.body]);
    expect((await explorers.attempts(arlo)).slice(-2).map(({ data }) => data)).toMatchObject([
      { reason: 'account_disabled' },
      { reason: 'wrong_password' },
    ]);
  });

  test('answers 503 where the buckets cannot be read, and looks at no password', async () => {
    const person = await explorers.person(arlo);
    const verify = vi.spyOn(world.deps.provisioning.passwords, 'verify');
    const query = world.deps.pool.query.bind(world.deps.pool);
    vi.spyOn(world.deps.pool, 'query').mockImplementation(((...all: Parameters<typeof query>) =>
      JSON.stringify(all[0]).includes('take_attempt') ? Promise.reject(new Error('gone')) : query(...all)) as never);
    expect((await explorers.browser(arlo).signIn(person)).status).toBe(503);
    expect(verify).not.toHaveBeenCalled();
  });
});
