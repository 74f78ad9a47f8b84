import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { enrolTotp, type PlatformNames } from '@grantlog/provisioning';
import { Secret, TOTP } from 'otpauth';
import { expect } from 'vitest';
import { answerOf, type ConsentFlow, claimsOf } from './consent.ts';
import type { Visit, Visitor } from './visitor.ts';
import { by, type TestAccount, type Workbench } from './workbench.ts';

export type Enrolled = { readonly secret: string; readonly recoveryCodes: readonly string[] };

/** The code that an authenticator app shows `steps` time steps from now. */
export const appCode = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });

/** Six digits that are no code of the app anywhere near now. */
export const wrongCode = (secret: string): string => {
  const near = new Set([-2, -1, 0, 1, 2].map((steps) => appCode(secret, steps)));
  return ['111111', '222222', '333333', '444444', '555555', '666666'].find((code) => !near.has(code)) ?? '';
};

export const namesOf = async (bench: Workbench, platform: string): Promise<PlatformNames> => {
  const names = await bench.context.directory.open(platform as PlatformId);
  if (names === null) throw new Error(`${platform} is not there`);
  return names;
};

/** Version of an account's stream. */
export const versionOf = async (bench: Workbench, platform: string, account: TestAccount): Promise<number> =>
  (await bench.context.log.load(platform as PlatformId, [{ streamId: account.id }])).stream(account.id).version;

/** Gives an account an authenticator app; the code of the present step is spent by it, that of the next is not. */
export const enrol = async (bench: Workbench, platform: string, account: TestAccount): Promise<Enrolled> => {
  const names = await namesOf(bench, platform);
  const secret = new Secret({ size: 20 });
  const enrolled = await enrolTotp(bench.context, by, {
    names,
    account: account.id,
    expectedVersion: await versionOf(bench, platform, account),
    seed: secret.bytes,
    code: appCode(secret.base32),
    signIn: null,
  });
  if ('refusal' in enrolled) throw new Error(enrolled.refusal);
  return { secret: secret.base32, recoveryCodes: enrolled.recoveryCodes };
};

/** A fresh account with an authenticator app. */
export const newOwner = async (bench: Workbench, platform: string): Promise<TestAccount & Enrolled> => {
  const account = await bench.account(platform);
  return { ...account, ...(await enrol(bench, platform, account)) };
};

/** A browser that has shown the right password for a fresh request of a client, and the page that it sees. */
export const atSecondStep = async (flow: ConsentFlow, account: TestAccount, visitor = flow.newVisitor()) => {
  const page = await flow.signIn(visitor, await visitor.open(flow.authorizeUrl({ prompt: 'login' })), account);
  expect(page.text).toContain('name="code"');
  return { visitor, page };
};

export const isSignedIn = (visitor: Visitor): boolean =>
  [...visitor.cookies].some(([name, value]) => name.endsWith('-sign-in') && value !== '');

/** What the ID token says about the sign-in behind a consent page, which is allowed for it. */
export const amrAfter = async (flow: ConsentFlow, visitor: Visitor, consent: Visit): Promise<unknown> => {
  const allowed = await flow.decide(visitor, consent, 'allow');
  return claimsOf((await flow.redeem(answerOf(allowed)['code'])).body['id_token'])['amr'];
};

/** What a platform's log gained meanwhile. */
export const eventsDuring = async <Result>(bench: Workbench, platform: string, work: () => Promise<Result>) => {
  const after = await readHead(bench.context.pool, platform as PlatformId);
  const result = await work();
  return { result, events: await readEventsAfter(bench.context.pool, { platform: platform as PlatformId, after, limit: 500 }) };
};

export const typesOf = (events: readonly { readonly type: string }[]): readonly string[] => events.map((event) => event.type);
