import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { answerOf, type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { appCode, enrol, wrongCode } from '../support/second-factor.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

type Fields = Readonly<Record<string, string>>;
const platform = 'secure' as PlatformId;

let deployment: Deployment;
let bench: Workbench;
let member: TestAccount;
let flow: ConsentFlow;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  await configure('optional');
  member = await bench.account(platform);
  flow = createConsentFlow({ deployment, platform, client: await bench.client(platform), account: member });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

const configure = (mfa: 'optional' | 'required') =>
  bench.configure(platform, {
    signIn: { mfa },
    scopes: [
      { name: 'openid', description: 'Know which account is yours', default: true },
      { name: 'read', description: 'Read your things' },
      { name: 'write', description: 'Change your things' },
      { name: 'account', description: 'See and change your security settings' },
    ],
  });

const recorded = async <Result>(work: () => Promise<Result>) => {
  const after = await readHead(bench.context.pool, platform);
  const result = await work();
  const events = await readEventsAfter(bench.context.pool, { platform, after, limit: 100 });
  return { result, events: events.map(({ type }) => type) };
};
/** A browser at the security page of a signed-in account, by the sign-in form that the page shows to strangers. */
const atSecurity = async (account: TestAccount): Promise<{ readonly visitor: Visitor; readonly page: Visit }> => {
  const visitor = flow.newVisitor();
  const form = await visitor.open(flow.at('/security'));
  const back = await flow.signIn(visitor, form, account);
  expect([back.status, back.location?.pathname]).toEqual([303, `/${platform}/security`]);
  return { visitor, page: await visitor.open(flow.at('/security')) };
};
const send = (visitor: Visitor, page: Visit, form: string, fields: Fields = {}): Promise<Visit> =>
  visitor.post(flow.at(form), { ...page.hidden, ...fields });
const secretIn = (page: Visit): string => /<code>((?:[A-Z2-7]{4} ?){8})<\/code>/.exec(page.text)?.[1]?.replaceAll(' ', '') ?? '';
const codesIn = (page: Visit): readonly string[] => [...page.text.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code);
const mails = async (account: TestAccount): Promise<number> => {
  const { rows } = await bench.context.pool.query<{ count: number }>('select count(*)::int as count from mail where account = $1', [
    account.id,
  ]);
  return rows[0]?.count ?? 0;
};

describe('the security page', () => {
  test('shows a stranger the sign-in form alone, and comes back after it', async () => {
    const { page } = await atSecurity(member);
    expect(page.status).toBe(200);
    expect(page.text).toContain(member.email);
    expect(page.text).toContain('<strong>Off.</strong>');
    const stranger = await flow.newVisitor().open(flow.at('/security'));
    expect(stranger.text).not.toContain(member.email);
    expect(stranger.text).toContain('id="password"');
    expect(stranger.headers.get('cache-control')).toBe('no-store');
  });

  test('sets an authenticator app up: nothing is written before its first code', async () => {
    const account = await bench.account(platform);
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
    expect(confirmed.events).toEqual(['account.mfa_enrolled', 'account.recovery_codes_set', 'name.claimed']);
    expect(codesIn(confirmed.result)).toHaveLength(10);
    const after = await visitor.open(flow.at('/security'));
    expect(after.text).toContain('10 of 10 recovery codes left');
    for (const code of codesIn(confirmed.result)) expect(after.text).not.toContain(code);
    expect(await mails(account)).toBe(1);

    // The browser is still signed in; another one is asked for the code.
    const elsewhere = flow.newVisitor();
    expect((await flow.signIn(elsewhere, await elsewhere.open(flow.at('/security')), account)).text).toContain('name="code"');
    const again = await send(visitor, wrong.result, '/security/totp/confirm', { code: appCode(secret, 1) });
    expect(again.status).toBe(409);
  });

  test('never replaces a second step for one who does not show it', async () => {
    const account = await bench.account(platform);
    const { visitor, page } = await atSecurity(account);
    const begun = await send(visitor, page, '/security/totp', { password: account.password });
    await enrol(bench, platform, account);
    const late = await recorded(() => send(visitor, begun, '/security/totp/confirm', { code: appCode(secretIn(begun)) }));
    expect([late.result.status, late.events]).toEqual([409, []]);
    expect((await send(visitor, page, '/security/totp', { password: account.password })).status).toBe(409);
  });

  test('has an enrolment that no other account can confirm', async () => {
    const [account, thief] = [await bench.account(platform), await bench.account(platform)];
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

  const withFactor = async () => {
    const account = await bench.account(platform);
    const { visitor, page } = await atSecurity(account);
    return { account, visitor, page, ...(await enrol(bench, platform, account)) };
  };

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
    expect((await send(flow.newVisitor(), page, `/security/${form}`, right)).status).toBe(403);
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
    expect(await mails(account)).toBe(1);
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
    expect((await visitor.open(flow.at('/security'))).text).toContain('10 of 10');
  });
});

describe('signing out', () => {
  test('ends the sign-in for good, and a copy of its cookie opens nothing', async () => {
    const { visitor, page } = await atSecurity(member);
    const copy = flow.newVisitor();
    for (const [name, value] of visitor.cookies) copy.cookies.set(name, value);
    expect((await send(visitor, page, '/sign-out', { csrf: '' })).status).toBe(403);
    const out = await recorded(() => send(visitor, page, '/sign-out'));
    expect([out.result.status, out.events]).toEqual([200, ['sign_in.ended']]);
    for (const browser of [visitor, copy]) expect((await browser.open(flow.at('/security'))).text).toContain('id="password"');
    expect((await recorded(() => send(copy, page, '/sign-out'))).events).toEqual([]);
  });
});

describe('the security API', () => {
  const tokenOf = async (account: TestAccount, change: Fields = {}): Promise<string> => {
    const resource = `${deployment.publicUrl}/${platform}/account`;
    const { visitor, page } = await flow.atConsent({ scope: 'openid account', resource, ...change }, account);
    const code = answerOf(await flow.decide(visitor, page, 'allow'))['code'];
    return String((await flow.redeem(code)).body['access_token']);
  };
  const call = async (token: string | null, method: string, path: string, body?: object) => {
    const response = await fetch(flow.at(`/account${path}`), {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };

  test('sets a second factor up and switches it off', async () => {
    const account = await bench.account(platform);
    const token = await tokenOf(account);
    expect(await call(token, 'GET', '/security')).toEqual({
      status: 200,
      body: { mfa: 'optional', factors: [], recoveryCodesLeft: 0 },
    });
    const begun = await call(token, 'POST', '/mfa/totp', {});
    expect(begun.body).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauthUri: expect.any(String),
      enrolment: expect.any(String),
    });
    const { secret, enrolment } = begun.body as { readonly secret: string; readonly enrolment: string };
    expect(await call(token, 'POST', '/mfa/totp/confirm', { enrolment, code: wrongCode(secret) })).toMatchObject({
      status: 422,
      body: { code: 'wrong_code' },
    });
    const confirmed = await call(token, 'POST', '/mfa/totp/confirm', { enrolment, code: appCode(secret) });
    const codes = confirmed.body['recoveryCodes'] as readonly string[];
    expect([confirmed.status, codes.length]).toEqual([200, 10]);
    expect((await call(token, 'GET', '/security')).body).toEqual({ mfa: 'optional', factors: ['totp'], recoveryCodesLeft: 10 });
    expect(await call(token, 'POST', '/mfa/totp', {})).toMatchObject({ status: 409, body: { code: 'already_enrolled' } });

    const off = (change: object) => call(token, 'DELETE', '/mfa/totp', { password: account.password, code: codes[0], ...change });
    expect(await off({ password: 'wrong' })).toMatchObject({ status: 422, body: { code: 'wrong_password' } });
    expect(await off({ code: wrongCode(secret) })).toMatchObject({ status: 422, body: { code: 'wrong_code' } });
    expect(await off({})).toEqual({ status: 200, body: { mfa: 'optional', factors: [], recoveryCodesLeft: 0 } });
    expect(await off({})).toMatchObject({ status: 409, body: { code: 'no_second_factor' } });
  });

  test('takes no enrolment of another account', async () => {
    const [account, thief] = [await bench.account(platform), await bench.account(platform)];
    const { secret, enrolment } = (await call(await tokenOf(account), 'POST', '/mfa/totp', {})).body;
    const stolen = await call(await tokenOf(thief), 'POST', '/mfa/totp/confirm', { enrolment, code: appCode(String(secret)) });
    expect(stolen).toMatchObject({ status: 409, body: { code: 'changed_meanwhile' } });
  });

  test('is not there for strangers, nor for a token of another scope', async () => {
    expect((await call(null, 'GET', '/security')).status).toBe(401);
    const resource = `${deployment.publicUrl}/${platform}/api`;
    const token = await tokenOf(member, { scope: 'openid read', resource });
    for (const [method, path] of [
      ['GET', '/security'],
      ['POST', '/mfa/totp'],
      ['DELETE', '/mfa/totp'],
    ] as const)
      expect((await call(token, method, path, method === 'GET' ? undefined : {})).status).toBe(401);
  });

  test('refuses to switch a required factor off, and names the way out', async () => {
    const account = await bench.account(platform);
    const token = await tokenOf(account);
    const { recoveryCodes } = await enrol(bench, platform, account);
    await configure('required');
    try {
      const refused = await call(token, 'DELETE', '/mfa/totp', { password: account.password, code: recoveryCodes[0] ?? '' });
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'required_by_platform', detail: expect.stringContaining('integration account') },
      });
    } finally {
      await configure('optional');
    }
    expect((await call(token, 'GET', '/security')).body).toMatchObject({ factors: ['totp'], recoveryCodesLeft: 10 });
  });
});
