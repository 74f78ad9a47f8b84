import { eraseAccount } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { by } from '../sessions/support/devices.ts';
import { type Employee, type Enterprise, employee, mailDomain, openEnterprise } from './support/enterprise.ts';

let enterprise: Enterprise;
beforeAll(async () => {
  enterprise = await openEnterprise(inject('databaseUrl'));
});
afterAll(() => enterprise.close());

const subjectOf = async (person: Employee, change: Readonly<Record<string, unknown>> = {}): Promise<unknown> =>
  (await enterprise.introspect((await enterprise.show(enterprise.assertion(person, change))).body['access_token']))['sub'];
const refusal = async (person: Employee, change: Readonly<Record<string, unknown>> = {}): Promise<unknown> => {
  const { status, body } = await enterprise.show(enterprise.assertion(person, change));
  expect(status).toBe(400);
  expect(body['error']).toBe('invalid_grant');
  return body['error_description'];
};

describe('the person of an assertion', () => {
  test('gets an account, once, and is found again by issuer and subject whatever their email is by then', async () => {
    const person = employee();
    const before = await enterprise.world.head(enterprise.platform);
    const sub = await subjectOf(person);
    expect(await enterprise.typesAfter(before)).toEqual([
      'name.claimed',
      'grant.authorized',
      'account.registered',
      'account.subject_linked',
      'name.claimed',
      'name.claimed',
    ]);
    expect(await subjectOf({ ...person, email: 'another@elsewhere.example' })).toBe(sub);
    expect(await subjectOf({ sub: person.sub } as Employee)).toBe(sub);
  });

  test('is the one whose mailbox they were registered with, where their provider speaks for it', async () => {
    const person = employee();
    const account = await enterprise.account(person);
    // Some providers write their claims as texts.
    expect(await subjectOf({ ...person, email: person.email.toUpperCase() }, { email_verified: 'true' })).toBe(account);
    expect(await subjectOf({ ...person, email: 'another@elsewhere.example' })).toBe(account);
  });

  test('of fifty assertions at once is one account', async () => {
    const person = employee();
    const answers = await Promise.all(Array.from({ length: 50 }, () => enterprise.show(enterprise.assertion(person))));
    const subjects = await Promise.all(answers.map(async ({ body }) => (await enterprise.introspect(body['access_token']))['sub']));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(new Set(subjects).size).toBe(1);
  });

  test('is another in each tenant of their provider', async () => {
    const person = employee();
    const first = await subjectOf(person, { tenant: 'one' });
    const second = await subjectOf({ ...person, email: `second-${person.email}` }, { tenant: 'two' });
    expect(first).toBeTypeOf('string');
    expect(second).not.toBe(first);
  });

  test('may be named by the account that they have here, and by no other', async () => {
    const person = employee();
    const account = await enterprise.account(person);
    expect(await subjectOf(person, { aud_sub: account })).toBe(account);
  });
});

describe('nobody is let in', () => {
  test('by an email of another domain, though an account has it', async () => {
    const email = `${employee().sub}@elsewhere.example`;
    await enterprise.account({ email });
    expect(await refusal({ ...employee(), email })).toMatch(/no email that its issuer speaks for/);
  });

  test('by a domain that only ends like one of the issuer’s', async () => {
    expect(await refusal({ ...employee(), email: `x@not${mailDomain}` })).toMatch(/no email that its issuer speaks for/);
    expect(await refusal({ ...employee(), email: `x@sub.${mailDomain}` })).toMatch(/no email that its issuer speaks for/);
  });

  test('by an email that the issuer itself has not verified', async () => {
    expect(await refusal(employee(), { email_verified: false })).toMatch(/no email that its issuer speaks for/);
  });

  test.each(['false', 'no', 0, null])('by an email of which the issuer does not say that it is verified: %j', async (said) => {
    const person = employee();
    await enterprise.account(person);
    expect(await refusal(person, { email_verified: said })).toMatch(/no email that its issuer speaks for/);
  });

  test('as an account whose mailbox never answered: somebody else may have taken that email first', async () => {
    const person = employee();
    await enterprise.account({ email: person.email, verified: false });
    expect(await refusal(person)).toMatch(/never shown that the mailbox is its own/);
  });

  test('as an account that is somebody else of the same provider, who had that email before', async () => {
    const [registered, created] = [employee(), employee()];
    const account = await enterprise.account(registered);
    expect(await subjectOf(registered)).toBe(account);
    expect(await subjectOf(created)).toBeTypeOf('string');
    for (const { email, sub } of [registered, created]) {
      expect(await refusal({ ...employee(), email })).toMatch(/is somebody else of the same identity provider/);
      expect(await refusal({ sub, email }, { tenant: 'another' })).toMatch(/is somebody else of the same identity provider/);
    }
    expect(await subjectOf(registered)).toBe(account);
  });

  test('as an account that fifty people with its email are at once, but for one of them', async () => {
    const email = employee().email;
    const account = await enterprise.account({ email });
    const answers = await Promise.all(Array.from({ length: 50 }, () => enterprise.show(enterprise.assertion({ ...employee(), email }))));
    const given = answers.filter(({ status }) => status === 200);
    expect(given).toHaveLength(1);
    expect((await enterprise.introspect(given[0]?.body['access_token']))['sub']).toBe(account);
  });

  test('as a program', async () => {
    const person = employee();
    await enterprise.account({ email: person.email, kind: 'integration' });
    expect(await refusal(person)).toMatch(/that of a program/);
  });

  test('as an account that is disabled, whether or not it was linked', async () => {
    const [linked, never] = [employee(), employee()];
    for (const person of [linked, never]) {
      const account = await enterprise.account(person);
      if (person === linked) await subjectOf(person);
      await enterprise.happen(account, { type: 'account.disabled', data: { reason: 'left' } });
      expect(await refusal(person)).toBe('The grant is invalid, expired or revoked');
    }
  });

  test('without an account, where the provider may make none', async () => {
    const strict = await enterprise.configure('strict', { trustedIssuers: [{ ...enterprise.trusted, createAccounts: false }] });
    const there = await enterprise.agent({ platform: strict });
    const shown = enterprise.assertion(employee(), { aud: `http://localhost:4000/${strict}`, client_id: there.clientId });
    const { status, body } = await enterprise.show(shown, {}, { at: strict, by: there });
    expect({ status, said: body['error_description'] }).toMatchObject({ status: 400, said: expect.stringMatching(/has no account here/) });
  });
});

test('an erasure releases the link: the person comes back as somebody new', async () => {
  const { platform, world } = enterprise;
  const person = employee();
  const account = await enterprise.account(person);
  expect(await subjectOf(person)).toBe(account);
  const before = await world.head(platform);
  await eraseAccount(world.deps.provisioning, by, { platform, account });
  expect(await enterprise.typesAfter(before)).toEqual(['account.erased', 'name.released', 'name.released']);
  const again = await subjectOf(person);
  expect(again).toBeTypeOf('string');
  expect(again).not.toBe(account);
});
