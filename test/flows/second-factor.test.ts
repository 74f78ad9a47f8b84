import type { PlatformId } from '@grantlog/eventsourcing';
import { removeTotp, setPassword, spendSecondFactor } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { answerOf, type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import {
  amrAfter,
  appCode,
  atSecondStep,
  type Enrolled,
  enrol,
  eventsDuring,
  isSignedIn,
  namesOf,
  newOwner,
  typesOf,
  versionOf,
  wrongCode,
} from '../support/second-factor.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import { by, openWorkbench, type Workbench } from '../support/workbench.ts';

type Fields = Readonly<Record<string, string>>;

let deployment: Deployment;
let bench: Workbench;
let other: Workbench;
let flow: ConsentFlow;
let elsewhere: ConsentFlow;

const flowOn = async (platform: string, mfa: 'off' | 'optional' | 'required'): Promise<ConsentFlow> => {
  await bench.configure(platform, { signIn: { mfa } });
  return createConsentFlow({ deployment, platform, client: await bench.client(platform), account: await bench.account(platform) });
};

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 2, workers: 0 });
  [bench, other] = [openWorkbench(deployment), openWorkbench(deployment)];
  flow = await flowOn('steps', 'optional');
  elsewhere = await flowOn('elsewhere', 'optional');
});
afterAll(async () => {
  await bench.close();
  await other.close();
  await deployment.stop();
});

const owner = () => newOwner(bench, 'steps');
const during = <Result>(work: () => Promise<Result>) => eventsDuring(bench, 'steps', work);
const answer = (visitor: Visitor, page: Visit, code: string, change: Fields = {}, url = flow.at('/sign-in/code')): Promise<Visit> =>
  visitor.post(url, { ...page.hidden, code, ...change });

describe('an account with an authenticator app', () => {
  test('AZ-33: is not signed in by its password, whatever the browser does next', async () => {
    const account = await owner();
    const { result, events } = await during(() => atSecondStep(flow, account));
    expect(typesOf(events)).toEqual([]);
    expect(isSignedIn(result.visitor)).toBe(false);
    expect(result.page.text).toContain('autocomplete="one-time-code"');
    expect(result.page.text).toContain('inputmode="numeric"');
    const silent = await result.visitor.open(flow.authorizeUrl({ prompt: 'none' }));
    expect(answerOf(silent)).toMatchObject({ error: 'login_required' });
    expect((await flow.decide(result.visitor, result.page, 'allow')).status).toBe(400);
    expect((await result.visitor.post(flow.at('/sign-in/continue'), result.page.hidden)).status).toBe(400);
    expect((await result.visitor.open(flow.at('/security'))).text).toContain('id="password"');
  });

  test('is signed in by its code, and the ID token says how', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const { result: consent, events } = await during(() => answer(visitor, page, appCode(account.secret, 1)));
    expect(typesOf(events).toSorted()).toEqual(['name.claimed', 'sign_in.succeeded']);
    expect(consent.text).toContain('name="decision"');
    expect(await amrAfter(flow, visitor, consent)).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('has codes that are good once, in whatever browser', async () => {
    const account = await owner();
    const code = appCode(account.secret, 1);
    const [first, second] = [await atSecondStep(flow, account), await atSecondStep(flow, account)];
    expect((await answer(first.visitor, first.page, `${code.slice(0, 3)} ${code.slice(3)}`)).status).toBe(200);
    for (const again of [second, await atSecondStep(flow, account)]) {
      const { result, events } = await during(() => answer(again.visitor, again.page, code));
      expect(result.status).toBe(400);
      expect(result.text).toContain('used already');
      expect(typesOf(events)).toEqual(['sign_in.failed']);
      expect(isSignedIn(again.visitor)).toBe(false);
    }
  });

  test('has the code that switched it on spent as well', async () => {
    const account = await bench.account('steps');
    const { secret } = await enrol(bench, 'steps', account);
    const { visitor, page } = await atSecondStep(flow, account);
    expect((await answer(visitor, page, appCode(secret))).text).toContain('used already');
  });

  test('is signed in once by 50 answers with one code to two API processes at once', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const code = appCode(account.secret, 1);
    const { result, events } = await during(() =>
      Promise.all(
        Array.from({ length: 50 }, (_, index) => answer(visitor, page, code, {}, `${deployment.apis[index % 2]?.url}/steps/sign-in/code`)),
      ),
    );
    expect(result.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of result.filter((each) => each.status !== 200)) expect([400, 429]).toContain(status);
    expect(typesOf(events).filter((type) => type === 'sign_in.succeeded')).toHaveLength(1);
    expect(typesOf(events).filter((type) => type === 'name.claimed')).toHaveLength(1);
  });

  test.each(['totp', 'recovery_code'] as const)('has one %s spent once by 50 commits of two processes at once', async (method) => {
    const account = await owner();
    const names = await namesOf(bench, 'steps');
    const expectedVersion = await versionOf(bench, 'steps', account);
    const step = Math.floor(Date.now() / 30_000) + 1;
    const proof = method === 'totp' ? ({ method, claim: names.totpStep(account.id, step) } as const) : ({ method, index: 3 } as const);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        spendSecondFactor((index % 2 === 0 ? bench : other).context, by, { names, account: account.id, expectedVersion, proof }),
      ),
    );
    expect(outcomes.filter((outcome) => !('refusal' in outcome))).toHaveLength(1);
  });
});

describe('a recovery code', () => {
  test('signs in once, and leaves nine', async () => {
    const account = await owner();
    const [code = ''] = account.recoveryCodes;
    const { visitor, page } = await atSecondStep(flow, account);
    const { result: consent, events } = await during(() => answer(visitor, page, code.toUpperCase().replaceAll('-', ' ')));
    expect(typesOf(events)).toEqual(['account.recovery_code_used', 'sign_in.succeeded']);
    expect(await amrAfter(flow, visitor, consent)).toEqual(['pwd', 'mfa']);
    expect((await visitor.open(flow.at('/security'))).text).toContain('9 of 10 recovery codes left');
    const again = await atSecondStep(flow, account);
    const refused = await answer(again.visitor, again.page, code);
    expect([refused.status, isSignedIn(again.visitor)]).toEqual([400, false]);
  });

  test('of another account, or of a set that was replaced, is wrong', async () => {
    const [account, stranger] = [await owner(), await owner()];
    const { visitor, page } = await atSecondStep(flow, account);
    expect((await answer(visitor, page, stranger.recoveryCodes[0] ?? '')).text).toContain('code is wrong');
  });
});

describe('wrong codes', () => {
  test('are recorded, and refused unseen after five from one place, the right one too', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const { events } = await during(async () => {
      for (let count = 0; count < 5; count += 1) expect((await answer(visitor, page, wrongCode(account.secret))).status).toBe(400);
    });
    const failed = { type: 'sign_in.failed', data: { account: account.id, reason: 'wrong_code', via: 'form' } };
    expect(events).toMatchObject(Array.from({ length: 5 }, () => failed));
    const { result: refused, events: none } = await during(() => answer(visitor, page, appCode(account.secret, 1)));
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0, typesOf(none)]).toEqual([429, true, []]);
    expect(isSignedIn(visitor)).toBe(false);
  });

  test('of strangers do not hold up a browser that the account has signed in with', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    expect((await answer(visitor, page, account.recoveryCodes[0] ?? '')).status).toBe(200);
    const stranger = await atSecondStep(flow, account);
    for (let count = 0; count < 6; count += 1) await answer(stranger.visitor, stranger.page, wrongCode(account.secret));
    const own = await atSecondStep(flow, account, visitor);
    expect((await answer(own.visitor, own.page, appCode(account.secret, 1))).status).toBe(200);
  });

  test('let parallel guesses through no more often than one after the other', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const answers = await Promise.all(Array.from({ length: 30 }, () => answer(visitor, page, wrongCode(account.secret))));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
  });
});

describe('a second step is void', () => {
  const right = (account: Enrolled): string => appCode(account.secret, 1);
  const refusal = async (work: Promise<Visit>, visitor: Visitor, status = 400): Promise<void> => {
    const visit = await work;
    expect([visit.status, isSignedIn(visitor), visit.text.includes('name="decision"')]).toEqual([status, false, false]);
  };

  test('when the password was changed meanwhile', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    await setPassword(bench.context, by, { platform: 'steps' as PlatformId, account: account.id, password: 'another password' });
    await refusal(answer(visitor, page, right(account)), visitor);
  });

  test('when the factor was removed meanwhile', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const names = await namesOf(bench, 'steps');
    const expectedVersion = await versionOf(bench, 'steps', account);
    await removeTotp(bench.context, by, { names, account: account.id, expectedVersion, proof: { method: 'recovery_code', index: 0 } });
    await refusal(answer(visitor, page, right(account)), visitor);
  });

  test('in another browser', async () => {
    const account = await owner();
    const [first, second] = [await atSecondStep(flow, account), await atSecondStep(flow, account)];
    const { request = '' } = first.page.hidden;
    await refusal(answer(second.visitor, second.page, right(account), { request }), second.visitor);
  });

  test('on another platform', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const there = await visitor.open(elsewhere.at('/sign-in'));
    const { request = '' } = page.hidden;
    await refusal(answer(visitor, there, right(account), { request }, elsewhere.at('/sign-in/code')), visitor);
  });

  test('as the step of another kind, with a byte changed, or as the request of the form before', async () => {
    const account = await owner();
    const visitor = flow.newVisitor();
    const form = await visitor.open(flow.authorizeUrl());
    const page = await flow.signIn(visitor, form, account);
    const request = (page.hidden['request'] ?? '').replace(/.{20}$/, (end) => end.split('').reverse().join(''));
    await refusal(answer(visitor, page, right(account), { request }), visitor);
    await refusal(answer(visitor, page, right(account), { request: form.hidden['request'] ?? '' }), visitor);
    await refusal(answer(visitor, page, right(account), { request: '' }), visitor);
    await refusal(answer(visitor, page, right(account), {}, flow.at('/sign-in/enrolment')), visitor);
  });

  test('AZ-35: without its CSRF token, or from another origin', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    await refusal(answer(visitor, page, right(account), { csrf: '' }), visitor, 403);
    const foreign = visitor.post(flow.at('/sign-in/code'), { ...page.hidden, code: right(account) }, { origin: 'https://evil.example' });
    await refusal(foreign, visitor, 403);
  });
});
