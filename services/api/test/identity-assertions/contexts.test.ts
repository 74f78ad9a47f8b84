import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Answer } from '../sessions/support/devices.ts';
import { type Employee, type Enterprise, employee, openEnterprise, vault } from './support/enterprise.ts';

let enterprise: Enterprise;
beforeAll(async () => {
  enterprise = await openEnterprise(inject('databaseUrl'));
  await enterprise.configure('company', {
    contexts: { noun: 'Safe', required: true },
    resources: [{ uri: vault, name: 'Vault', scopes: ['vault:read', 'vault:write'], perContext: true }],
  });
});
afterAll(() => enterprise.close());

const show = (person: Employee, resource: string): Promise<Answer> => enterprise.show(enterprise.assertion(person, { resource }));
const withSafes = async (...contexts: readonly string[]): Promise<Employee> => {
  const person = employee();
  await enterprise.happen(await enterprise.account(person), { type: 'account.contexts_set', data: { contexts } });
  return person;
};
const contextOf = async ({ body }: Answer): Promise<unknown> => (await enterprise.introspect(body['access_token']))['context'];
const refusedWith = (answer: Answer, words: RegExp): void => {
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  expect(answer.body['error_description']).toMatch(words);
};

test('a person with one Safe is given that, for nobody is there to choose', async () => {
  expect(await contextOf(await show(await withSafes('safe-1'), vault))).toBe('safe-1');
});

test('of several, the resource says which', async () => {
  const person = await withSafes('safe-1', 'safe-2');
  refusedWith(await show(person, vault), /several; name the resource of one Safe/);
  const answer = await show(person, `${vault}/safe-2`);
  expect(await enterprise.introspect(answer.body['access_token'])).toMatchObject({ aud: `${vault}/safe-2`, context: 'safe-2' });
});

test('a Safe of somebody else is not opened, nor one that nobody has', async () => {
  await withSafes('safe-3');
  refusedWith(await show(await withSafes('safe-1'), `${vault}/safe-3`), /a Safe that the person does not have/);
  refusedWith(await show(employee(), vault), /has no Safe yet/);
  refusedWith(await show(await withSafes(), `${vault}/safe-1`), /a Safe that the person does not have/);
});
