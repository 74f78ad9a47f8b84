import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { calendar, type Delegates, mail, openDelegates } from './support/delegates.ts';

let delegates: Delegates;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
  await delegates.configure('agents', { contexts: { noun: 'Safe', required: true } });
});
afterAll(() => delegates.world.close());

const allowed = async () => {
  const account = await delegates.person();
  await delegates.happen(account, { type: 'account.contexts_set', data: { contexts: ['safe-1', 'safe-2'] } });
  return { account, ...(await delegates.allow({ to: delegates.assistant, account, context: 'safe-1' })) };
};

test('what is passed on is for the Safe that the person chose, and cannot be turned to another', async () => {
  const { calendarServer, mailServer } = delegates;
  const { token } = await allowed();
  const passed = await delegates.passOn(calendarServer, token, { resource: mail });
  expect(await delegates.introspect(mailServer, passed)).toMatchObject({ aud: mail, context: 'safe-1' });
  const changed = await delegates.send(mailServer, '/oauth/context', { token: passed, context: 'safe-2' });
  expect(changed.body).toMatchObject({ error: 'context_pinned' });
  expect(await delegates.introspect(mailServer, passed)).toMatchObject({ context: 'safe-1' });
});

test('nothing is passed on of a Safe that the person has lost', async () => {
  const { calendarServer, mailServer } = delegates;
  const { account, token } = await allowed();
  const passed = await delegates.passOn(calendarServer, token, { resource: mail });
  await delegates.happen(account, { type: 'account.contexts_set', data: { contexts: ['safe-2'] } });
  expect(await delegates.introspect(mailServer, passed)).toEqual({ active: false });
  expect(await delegates.exchange(calendarServer, token, { resource: calendar })).toMatchObject({
    status: 400,
    body: { error: 'invalid_target', error_description: expect.stringContaining('no Safe') },
  });
});
