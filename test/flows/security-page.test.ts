import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { amrAfter, appCode, eventsDuring, typesOf, wrongCode } from '../support/second-factor.ts';
import { openSecurityWorld, platform, type SecurityWorld } from '../support/security-world.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import type { TestAccount } from '../support/workbench.ts';

type Fields = Readonly<Record<string, string>>;

let world: SecurityWorld;

beforeAll(async () => {
  world = await openSecurityWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const recorded = async <Result>(work: () => Promise<Result>) => {
  const { result, events } = await eventsDuring(world.bench, platform, work);
  return { result, events: typesOf(events) };
};
/** A browser at the security page of a signed-in account, by the sign-in form that the page shows to strangers. */
const atSecurity = async (account: TestAccount, visitor = world.flow.newVisitor(), code: string | null = null) => {
  const form = await visitor.open(world.flow.at('/security'));
  const shown = await world.flow.signIn(visitor, form, account);
  const back = code === null ? shown : await visitor.post(world.flow.at('/sign-in/code'), { ...shown.hidden, code });
  expect([back.status, back.location?.pathname]).toEqual([303, `/${platform}/security`]);
  return { visitor, page: await visitor.open(world.flow.at('/security')) };
};
/** Whether a browser is shown the settings of somebody who is signed in. */
const isIn = async (visitor: Visitor, account: TestAccount): Promise<boolean> =>
  (await visitor.open(world.flow.at('/security'))).text.includes(account.email);
const send = (visitor: Visitor, page: Visit, form: string, fields: Fields = {}): Promise<Visit> =>
  visitor.post(world.flow.at(form), { ...page.hidden, ...fields });
const secretIn = (page: Visit): string => /<code>((?:[A-Z2-7]{4} ?){8})<\/code>/.exec(page.text)?.[1]?.replaceAll(' ', '') ?? '';
const codesIn = (page: Visit): readonly string[] => [...page.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code);
const mails = async (account: TestAccount): Promise<number> => {
  const { rows } = await world.bench.context.pool.query<{ count: number }>('select count(*)::int as count from mail where account = $1', [
    account.id,
  ]);
  return rows[0]?.count ?? 0;
};

/** A browser in which a fresh account has set its app up; the code of the present step is spent by it, that of the next is not. */
const withFactor = async () => {
  const account = await world.newAccount();
  const { visitor, page } = await atSecurity(account);
  const begun = await send(visitor, page, '/security/totp', { password: account.password });
  const secret = secretIn(begun);
  const recoveryCodes = codesIn(await send(visitor, begun, '/security/totp/confirm', { code: appCode(secret) }));
  return { account, visitor, page, secret, recoveryCodes };
};

describe('the security page', () => {
  test('shows a stranger the sign-in form alone, and comes back after it', async () => {
    const { page } = await atSecurity(world.member);
    expect(page.status).toBe(200);
    expect(page.text).toContain(world.member.email);
    expect(page.text).toContain('<strong>Off.</strong>');
    const stranger = await world.flow.newVisitor().open(world.flow.at('/security'));
    expect(stranger.text).not.toContain(world.member.email);
    expect(stranger.text).toContain('id="password"');
    expect(stranger.headers.get('cache-control')).toBe('no-store');
  });

  test('sets an authenticator app up: nothing is written before its first code', async () => {
    const account = await world.newAccount();
    const { visitor, page } = await atSecurity(account);
    expect((await send(visitor, page, '/security/totp', { password: 'wrong' })).text).toContain('password is wrong');
    const begun = await recorded(() => send(visitor, page, '/security/totp', { password: account.password }));
    const secret = secretIn(begun.result);
    expect([begun.events, begun.result.status, secret.length]).toEqual([[], 200, 32]);
    expect(begun.result.text).toContain(`secret=${secret}`);
    expect(begun.result.text).toContain('<svg role="img"');

    const wrong = await recorded(() => send(visitor, begun.result, '/security/totp/confirm', { code: wrongCode(secret) }));
    expect([wrong.events, wrong.result.status, secretIn(wrong.result)]).toEqual([[], 400, secret]);
    const confirmed = await recorded(() => send(visitor, wrong.result, '/security/totp/confirm', { code: appCode(secret) }));
    expect(confirmed.events).toEqual(['account.mfa_enrolled', 'account.recovery_codes_set', 'name.claimed', 'sign_in.succeeded']);
    expect(codesIn(confirmed.result)).toHaveLength(10);
    const after = await visitor.open(world.flow.at('/security'));
    expect(after.text).toContain('10 of 10 recovery codes left');
    for (const code of codesIn(confirmed.result)) expect(after.text).not.toContain(code);
    expect(await mails(account)).toBe(1);

    // This browser goes on; another one is asked for the code.
    const elsewhere = world.flow.newVisitor();
    expect((await world.flow.signIn(elsewhere, await elsewhere.open(world.flow.at('/security')), account)).text).toContain('name="code"');
    const again = await send(visitor, wrong.result, '/security/totp/confirm', { code: appCode(secret, 1) });
    expect(again.status).toBe(409);
  });

  test('never replaces a second step for one who does not show it', async () => {
    const account = await world.newAccount();
    const { visitor, page } = await atSecurity(account);
    const begun = await send(visitor, page, '/security/totp', { password: account.password });
    const { recoveryCodes } = await world.enrol(account);
    const confirm = () => recorded(() => send(visitor, begun, '/security/totp/confirm', { code: appCode(secretIn(begun)) }));
    const without = await confirm();
    expect([without.result.status, without.events]).toEqual([401, []]);
    await atSecurity(account, visitor, recoveryCodes[0] ?? '');
    const late = await confirm();
    expect([late.result.status, late.events]).toEqual([409, []]);
    expect((await send(visitor, page, '/security/totp', { password: account.password })).status).toBe(409);
  });

  test('has an enrolment that no other account can confirm', async () => {
    const [account, thief] = [await world.newAccount(), await world.newAccount()];
    const [own, theirs] = [await atSecurity(account), await atSecurity(thief)];
    const begun = await send(own.visitor, own.page, '/security/totp', { password: account.password });
    const stolen = await recorded(() =>
      send(theirs.visitor, theirs.page, '/security/totp/confirm', {
        request: begun.hidden['request'] ?? '',
        code: appCode(secretIn(begun)),
      }),
    );
    expect([stolen.result.status, stolen.events]).toEqual([409, []]);
  });

  test.each(['recovery-codes', 'totp/move', 'totp/remove'])('does %s for nobody without password and code', async (form) => {
    const { account, visitor, page, secret, recoveryCodes } = await withFactor();
    const [code = ''] = recoveryCodes;
    const tries: readonly Fields[] = [
      {},
      { password: account.password },
      { password: account.password, code: wrongCode(secret) },
      { password: 'wrong', code },
      { code },
    ];
    for (const fields of tries) {
      const { result, events } = await recorded(() => send(visitor, page, `/security/${form}`, fields));
      expect([result.status, events]).toEqual([400, ['sign_in.failed']]);
    }
    const right = { password: account.password, code };
    expect((await send(world.flow.newVisitor(), page, `/security/${form}`, right)).status).toBe(403);
    expect((await send(visitor, page, `/security/${form}`, { ...right, csrf: '' })).status).toBe(403);
    expect((await recorded(() => send(visitor, page, `/security/${form}`, right))).events).toContain('account.recovery_code_used');
  });

  test('makes new recovery codes, and the ones before are void', async () => {
    const { account, visitor, page, secret, recoveryCodes } = await withFactor();
    const made = await send(visitor, page, '/security/recovery-codes', { password: account.password, code: appCode(secret, 1) });
    expect(codesIn(made)).toHaveLength(10);
    const old = await send(visitor, page, '/security/totp/remove', { password: account.password, code: recoveryCodes[0] ?? '' });
    expect([old.status, old.text.includes('code is wrong')]).toEqual([400, true]);
  });

  test('switches the second step off, and the sign-in asks for the password alone', async () => {
    const { account, visitor, page, secret } = await withFactor();
    const off = await recorded(() =>
      send(visitor, page, '/security/totp/remove', { password: account.password, code: appCode(secret, 1) }),
    );
    expect([off.result.status, off.events]).toEqual([200, ['account.mfa_removed', 'name.claimed']]);
    expect(off.result.text).toContain('<strong>Off.</strong>');
    expect(await mails(account)).toBe(2);
    await atSecurity(account);
  });

  test.each(['the app', 'a recovery code'])('moves the second step to another app by %s', async (way) => {
    const { account, visitor, page, secret, recoveryCodes } = await withFactor();
    const code = way === 'the app' ? appCode(secret, 1) : (recoveryCodes[0] ?? '');
    const begun = await send(visitor, page, '/security/totp/move', { password: account.password, code });
    const moved = secretIn(begun);
    expect([begun.status, moved.length]).toEqual([200, 32]);
    // The step of the first app may be spent for the account: the other app's next one is not.
    const confirmed = await send(visitor, begun, '/security/totp/confirm', { code: appCode(moved, way === 'the app' ? -1 : 1) });
    expect(codesIn(confirmed)).toHaveLength(10);
    expect((await visitor.open(world.flow.at('/security'))).text).toContain('10 of 10');
  });
});

describe('a sign-in by the password alone', () => {
  const ask = (visitor: Visitor): Promise<Visit> => visitor.open(world.flow.authorizeUrl());

  test('ends when the account sets a second step up, but in the browser where that is done', async () => {
    const account = await world.newAccount();
    const thief = (await atSecurity(account)).visitor;
    const waiting = await ask(thief);
    expect(waiting.text).toContain('name="decision"');
    const { visitor, page } = await atSecurity(account);
    const begun = await send(visitor, page, '/security/totp', { password: account.password });
    const before = new Map(visitor.cookies);
    await send(visitor, begun, '/security/totp/confirm', { code: appCode(secretIn(begun)) });

    expect(await isIn(thief, account)).toBe(false);
    expect((await world.flow.decide(thief, waiting, 'allow')).status).toBe(400);
    expect((await ask(thief)).text).toContain('id="password"');
    expect(await amrAfter(world.flow, visitor, await ask(visitor))).toEqual(['pwd', 'otp', 'mfa']);
    const copy = world.flow.newVisitor();
    for (const [name, value] of before) copy.cookies.set(name, value);
    expect(await isIn(copy, account)).toBe(false);
  });

  test('does not come back when the second step is switched off again', async () => {
    const account = await world.newAccount();
    const thief = (await atSecurity(account)).visitor;
    const { secret, recoveryCodes } = await world.enrol(account);
    const { visitor, page } = await atSecurity(account, world.flow.newVisitor(), recoveryCodes[0] ?? '');
    const off = await send(visitor, page, '/security/totp/remove', { password: account.password, code: appCode(secret, 1) });
    expect([off.status, await isIn(visitor, account), await isIn(thief, account)]).toEqual([200, true, false]);
  });

  test('is all that ends: a move to another app ends no sign-in, and begins none', async () => {
    const { account, visitor, page, secret, recoveryCodes } = await withFactor();
    const elsewhere = await atSecurity(account, world.flow.newVisitor(), appCode(secret, 1));
    const begun = await send(visitor, page, '/security/totp/move', { password: account.password, code: recoveryCodes[0] ?? '' });
    const moved = await recorded(() => send(visitor, begun, '/security/totp/confirm', { code: appCode(secretIn(begun), -1) }));
    expect(moved.events).toEqual(['account.mfa_enrolled', 'account.recovery_codes_set', 'name.claimed']);
    expect([await isIn(visitor, account), await isIn(elsewhere.visitor, account)]).toEqual([true, true]);
  });
});

describe('the password of an account with a second step', () => {
  const ready = async () => {
    const { account, visitor, page, ...enrolled } = await withFactor();
    const password = `a new password ${crypto.randomUUID()}`;
    const change = (fields: Fields): Promise<Visit> =>
      send(visitor, page, '/security/password', {
        password: account.password,
        new_password: password,
        new_password_again: password,
        ...fields,
      });
    return { account, visitor, password, change, ...enrolled };
  };

  test('is not changed without its code', async () => {
    const { account, secret, change } = await ready();
    for (const fields of [{}, { code: wrongCode(secret) }, { password: 'wrong', code: appCode(secret, 1) }]) {
      const { result, events } = await recorded(() => change(fields));
      expect([result.status, events]).toEqual([400, ['sign_in.failed']]);
    }
    const elsewhere = world.flow.newVisitor();
    const signedIn = await world.flow.signIn(elsewhere, await elsewhere.open(world.flow.at('/security')), account);
    expect(signedIn.text).toContain('name="code"');
  });

  test.each(['the app', 'a recovery code'])(
    'is changed with %s, which is spent, and this browser goes on with both factors shown',
    async (way) => {
      const { account, visitor, password, secret, recoveryCodes, change } = await ready();
      const code = way === 'the app' ? appCode(secret, 1) : (recoveryCodes[0] ?? '');
      const changed = await recorded(() => change({ code }));
      expect([changed.result.status, changed.events]).toEqual([
        200,
        way === 'the app'
          ? ['account.password_set', 'name.claimed', 'sign_in.succeeded']
          : ['account.recovery_code_used', 'account.password_set', 'sign_in.succeeded'],
      ]);
      expect(changed.result.text).toContain(`${way === 'the app' ? 10 : 9} of 10 recovery codes left`);
      await world.configure('required');
      const still = await visitor.open(world.flow.at('/security'));
      await world.configure('optional');
      expect(still.text).toContain(account.email);
      const again = await change({ password, new_password: `${password}!`, new_password_again: `${password}!`, code });
      expect(again.status).toBe(400);
      const elsewhere = world.flow.newVisitor();
      const form = await elsewhere.open(world.flow.at('/security'));
      expect((await world.flow.signIn(elsewhere, form, { ...account, password })).text).toContain('name="code"');
    },
  );
});

describe('signing out', () => {
  test('ends the sign-in for good, and a copy of its cookie opens nothing', async () => {
    const { visitor, page } = await atSecurity(world.member);
    const copy = world.flow.newVisitor();
    for (const [name, value] of visitor.cookies) copy.cookies.set(name, value);
    expect((await send(visitor, page, '/sign-out', { csrf: '' })).status).toBe(403);
    const out = await recorded(() => send(visitor, page, '/sign-out'));
    expect([out.result.status, out.events]).toEqual([200, ['sign_in.ended']]);
    for (const browser of [visitor, copy]) expect((await browser.open(world.flow.at('/security'))).text).toContain('id="password"');
    expect((await recorded(() => send(copy, page, '/sign-out'))).events).toEqual([]);
  });
});
