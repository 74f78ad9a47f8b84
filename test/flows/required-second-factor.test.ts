import { enrolTotp } from '@grantlog/provisioning';
import { Secret } from 'otpauth';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import {
  amrAfter,
  appCode,
  atSecondStep,
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

const flowOn = async (platform: string, mfa: 'off' | 'optional' | 'required'): Promise<ConsentFlow> => {
  await bench.configure(platform, { signIn: { mfa } });
  return createConsentFlow({ deployment, platform, client: await bench.client(platform), account: await bench.account(platform) });
};

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  [bench, other] = [openWorkbench(deployment), openWorkbench(deployment)];
  flow = await flowOn('strict', 'required');
});
afterAll(async () => {
  await bench.close();
  await other.close();
  await deployment.stop();
});

const owner = () => newOwner(bench, 'strict');
const during = <Result>(work: () => Promise<Result>) => eventsDuring(bench, 'strict', work);
const answer = (visitor: Visitor, page: Visit, code: string, change: Fields = {}, url = flow.at('/sign-in/code')): Promise<Visit> =>
  visitor.post(url, { ...page.hidden, code, ...change });

describe('a platform that requires a second step', () => {
  const secretIn = (page: Visit): string => /<code>((?:[A-Z2-7]{4} ?){8})<\/code>/.exec(page.text)?.[1]?.replaceAll(' ', '') ?? '';

  test('has an account without one enrol before it is signed in, and goes on to what waits', async () => {
    const account = await bench.account('strict');
    const { result: first, events: before } = await during(() => atSecondStep(flow, account));
    const { visitor, page } = first;
    const secret = secretIn(page);
    expect(secret).toHaveLength(32);
    expect(page.text).toContain('<svg role="img"');
    expect([typesOf(before), isSignedIn(visitor)]).toEqual([[], false]);

    const enrolment = flow.at('/sign-in/enrolment');
    const wrong = await answer(visitor, page, wrongCode(secret), {}, enrolment);
    expect([wrong.status, secretIn(wrong), isSignedIn(visitor)]).toEqual([400, secret, false]);
    const { result: codes, events } = await during(() => answer(visitor, wrong, appCode(secret), {}, enrolment));
    expect(typesOf(events)).toEqual(['account.mfa_enrolled', 'account.recovery_codes_set', 'name.claimed', 'sign_in.succeeded']);
    expect(codes.text.match(/<li><code>/g)).toHaveLength(10);
    const consent = await visitor.post(flow.at('/sign-in/continue'), codes.hidden);
    expect(consent.text).toContain('name="decision"');
    expect(await amrAfter(flow, visitor, consent)).toEqual(['pwd', 'otp', 'mfa']);
  });

  test('takes an enrolment once, and in one browser', async () => {
    const account = await bench.account('strict');
    const [first, second] = [await atSecondStep(flow, account), await atSecondStep(flow, account)];
    const enrolment = flow.at('/sign-in/enrolment');
    const stolen = await answer(
      second.visitor,
      second.page,
      appCode(secretIn(first.page)),
      { request: first.page.hidden['request'] ?? '' },
      enrolment,
    );
    expect(stolen.status).toBe(400);
    expect((await answer(first.visitor, first.page, appCode(secretIn(first.page)), {}, enrolment)).status).toBe(200);
    expect((await answer(second.visitor, second.page, appCode(secretIn(second.page), 1), {}, enrolment)).status).toBe(400);
    expect(isSignedIn(second.visitor)).toBe(false);
  });

  test('takes the first of two enrolments at once, and not the other', async () => {
    const account = await bench.account('strict');
    const names = await namesOf(bench, 'strict');
    const expectedVersion = await versionOf(bench, 'strict', account);
    const outcomes = await Promise.all(
      [bench, other].map(({ context }, index) => {
        const secret = new Secret({ size: 20 });
        const code = appCode(secret.base32, index);
        return enrolTotp(context, by, { names, account: account.id, expectedVersion, seed: secret.bytes, code, signIn: null });
      }),
    );
    expect(outcomes.filter((outcome) => 'refusal' in outcome)).toEqual([{ refusal: 'changed_meanwhile' }]);
  });

  test('AZ-33: no longer knows a sign-in that was made before without one', async () => {
    const turning = await flowOn('turning', 'optional');
    const { visitor, page } = await turning.atConsent();
    await bench.configure('turning', { signIn: { mfa: 'required' } });
    expect((await turning.decide(visitor, page, 'allow')).status).toBe(400);
    expect((await visitor.open(turning.authorizeUrl())).text).toContain('id="password"');
  });

  test('says why it cannot be switched off, and what programs do instead', async () => {
    const account = await owner();
    const { visitor, page } = await atSecondStep(flow, account);
    const signedIn = await answer(visitor, page, appCode(account.secret, 1), {}, flow.at('/sign-in/code'));
    expect(signedIn.status).toBe(200);
    const form = { csrf: signedIn.hidden['csrf'] ?? '', password: account.password, code: account.recoveryCodes[0] ?? '' };
    const { result: refused, events } = await during(() => visitor.post(flow.at('/security/totp/remove'), form));
    expect([refused.status, typesOf(events)]).toEqual([409, []]);
    expect(refused.text).toContain('integration account');
  });
});

test('a platform that has switched second steps off asks for those that exist, and offers none', async () => {
  const off = await flowOn('off', 'optional');
  const account = await newOwner(bench, 'off');
  await bench.configure('off', { signIn: { mfa: 'off' } });
  const { visitor, page } = await atSecondStep(off, account);
  expect((await answer(visitor, page, appCode(account.secret, 1), {}, off.at('/sign-in/code'))).text).toContain('name="decision"');
  const without = await off.atConsent();
  const settings = await without.visitor.open(off.at('/security'));
  expect(settings.text).toContain('offers no second step');
  expect(settings.text).not.toContain('/security/totp"');
});
