import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { asks, openPeopleWorld, type PeopleWorld } from './support/people.ts';

/** Apps that developers register: an operator answers for them where operators approve them, and nobody does elsewhere. */
let world: PeopleWorld;

beforeAll(async () => {
  world = await openPeopleWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

/** A person who has allowed the app of a developer of this platform, and what they saw before and see then. */
const allowedAppOf = async (name: string, policy: readonly string[]) => {
  const platform = await world.configure(name, { registration: { policy } });
  const [developer, who] = [await world.person(platform), await world.person(platform)];
  const app = await world.client({ platform, how: 'portal', owner: developer.id, approval: 'approved', name: 'Your Bank' });
  const browser = world.createBrowser(platform);
  const page = await browser.signIn(await browser.visit(app), who);
  await browser.decide(page, 'allow');
  return { platform, app, page, again: await browser.visit(app) };
};

test('one that nobody had to approve is said to be nobody’s word, and is asked about every time', async () => {
  const { platform, app, page, again } = await allowedAppOf('free-for-all', ['open']);
  expect(page.text).toContain('registered by a developer; nobody has verified its name');
  expect(page.text).toContain('has verified this app. Allow it only if you began this yourself.');
  expect(page.text).not.toContain('approved by an operator');
  expect(page.text).not.toContain('You are not asked again');
  expect(asks(again)).toBe(true);
  // Its errors send nobody anywhere who is not there (RFC 9700 §4.11.2).
  const stranger = await world.createBrowser(platform).visit(app, { scope: 'nothing' });
  expect([stranger.status, stranger.location]).toEqual([400, null]);
});

test('one that an operator has approved is told as that, and remembered', async () => {
  const { page, again } = await allowedAppOf('looked-at', ['approval']);
  expect(page.text).toContain('registered by a developer and approved by an operator');
  expect(asks(again)).toBe(false);
});

test('one that an operator has registered is the operator’s word, whatever developers may do', async () => {
  const platform = await world.configure('operators-own', { registration: { policy: ['open'] } });
  const app = await world.client({ platform, how: 'portal', approval: 'approved' });
  const { browser } = await world.allowedIn(app, await world.person(platform), {}, platform);
  expect(asks(await browser.visit(app))).toBe(false);
});
