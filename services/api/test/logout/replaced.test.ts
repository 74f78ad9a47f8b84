import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type LogoutWorld, openLogoutWorld } from './support/logout-world.ts';

let world: LogoutWorld;
beforeAll(async () => {
  world = await openLogoutWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

test('whoever signs in where somebody else was signed in ends that sign-in, and no other', async () => {
  const [first, second] = [await world.account(), await world.account()];
  const { browser, id } = await world.signIn(first);
  const elsewhere = await world.signIn(first);
  const { events } = await world.during(() => world.signIn(second, browser));
  expect(events.filter(({ type }) => type.startsWith('sign_in.'))).toMatchObject([
    { type: 'sign_in.ended', streamId: id, data: { reason: 'replaced' } },
    { type: 'sign_in.succeeded', data: { account: second.id } },
  ]);
  expect(new Set(events.map(({ commitId }) => commitId)).size).toBe(1);
  expect(await world.isKnown(elsewhere.browser)).toBe(true);
});

test('whoever signs in again as before ends nothing', async () => {
  const person = await world.account();
  const { browser } = await world.signIn(person);
  const { types } = await world.during(() => world.signIn(person, browser));
  expect(types).toEqual(['sign_in.succeeded']);
});

test('a browser that is signed out has nobody to replace', async () => {
  const [first, second] = [await world.account(), await world.account()];
  const { browser, hint } = await world.signIn(first).then(async (signedIn) => ({
    ...signedIn,
    hint: await world.idToken({ clientId: await world.client(), account: first.id, signIn: signedIn.id }),
  }));
  const copy = new Map(browser.cookies);
  await browser.open('/oauth/end_session', { id_token_hint: hint });
  for (const [name, value] of copy) browser.cookies.set(name, value);
  const { types } = await world.during(() => world.signIn(second, browser));
  expect(types).toEqual(['sign_in.succeeded']);
});
