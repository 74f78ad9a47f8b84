import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type LogoutWorld, openLogoutWorld, type Person, returnUri } from './support/logout-world.ts';

let world: LogoutWorld;
let person: Person;
let clientId: string;
beforeAll(async () => {
  world = await openLogoutWorld(inject('databaseUrl'));
  person = await world.account();
  clientId = await world.client();
});
afterAll(() => world.close());

describe('an address that is not registered for the app', () => {
  test.each([
    'https://app.example/signed-out?from=grantlog&more=1',
    'https://app.example/signed-out',
    'https://app.example/signed-out?from=grantlog#part',
    'https://app.example:443/signed-out?from=grantlog',
    'https://APP.example/signed-out?from=grantlog',
    'https://app.example.evil.example/signed-out?from=grantlog',
    'https://app.example/cb',
    '//evil.example',
    'javascript:alert(1)',
  ])('(%s) is refused on a page of our own, and nobody is signed out', async (address) => {
    const { browser, id } = await world.signIn(person);
    const hint = await world.idToken({ clientId, account: person.id, signIn: id });
    for (const ask of [{ id_token_hint: hint }, { client_id: clientId }]) {
      const query = { ...ask, post_logout_redirect_uri: address, state: 's' };
      for (const send of [() => browser.open('/oauth/end_session', query), () => browser.post('/oauth/end_session', query)]) {
        const { result, types } = await world.during(send);
        expect([result.status, result.location, types]).toEqual([400, undefined, []]);
        expect(result.text).toContain('post_logout_redirect_uri');
      }
    }
  });

  test('is refused where it is one of another app, or of one that is deleted or unknown', async () => {
    const { browser } = await world.signIn(person);
    const gone = await world.client();
    await world.change(gone, { type: 'client.deleted', data: {} });
    const bare = await world.client({ extras: {} });
    for (const client_id of [bare, gone, 'nobody']) {
      const { result, types } = await world.during(() =>
        browser.open('/oauth/end_session', { client_id, post_logout_redirect_uri: returnUri }),
      );
      expect([result.status, result.location, types]).toEqual([400, undefined, []]);
    }
  });
});

test('an ID token of another app than client_id names is refused by name', async () => {
  const { browser, id } = await world.signIn(person);
  const hint = await world.idToken({ clientId: await world.client(), account: person.id, signIn: id });
  const query = { id_token_hint: hint, client_id: clientId, post_logout_redirect_uri: returnUri };
  const { result, types } = await world.during(() => browser.open('/oauth/end_session', query));
  expect([result.status, types]).toEqual([400, []]);
  expect(result.text).toContain('id_token_hint');
});

describe('a browser in which nobody is signed in', () => {
  test('is sent back by an app that an operator answers for, with an ID token; a sign-in elsewhere goes on', async () => {
    const { browser: home, id } = await world.signIn(person);
    const hint = await world.idToken({ clientId, account: person.id, signIn: id });
    const query = { id_token_hint: hint, post_logout_redirect_uri: returnUri, state: 's' };
    const { result, types } = await world.during(() => world.createBrowser().open('/oauth/end_session', query));
    expect([result.location, types]).toEqual([`${returnUri}&state=s`, []]);
    expect(await world.isKnown(home)).toBe(true);
  });

  test('is sent nowhere by an app that registered itself, or without an ID token: the page links there', async () => {
    const dynamic = await world.client({ how: 'dynamic' });
    const hint = await world.idToken({ clientId: dynamic, account: person.id });
    for (const ask of [{ id_token_hint: hint }, { client_id: dynamic }, { client_id: clientId }]) {
      const page = await world.createBrowser().open('/oauth/end_session', { ...ask, post_logout_redirect_uri: returnUri, state: 's' });
      expect([page.status, page.location]).toEqual([200, undefined]);
      expect(page.text).toContain(`<a href="${returnUri}&state=s" rel="noreferrer">`);
      expect(page.text).toContain('https://app.example');
    }
  });

  test('is told that nobody is signed in where an app asks for nothing more', async () => {
    const page = await world.createBrowser().open('/oauth/end_session');
    expect([page.status, page.text.includes('You are signed out')]).toEqual([200, true]);
  });
});

test('a repeated parameter is refused by its name', async () => {
  const page = await world.createBrowser().follow('/shop/oauth/end_session?state=a&state=b');
  expect([page.status, page.text.includes('state is repeated')]).toEqual([400, true]);
});

test('discovery says where people are signed out, and that apps are told of it', async () => {
  const { text } = await world.createBrowser().follow('/shop/.well-known/openid-configuration');
  expect(JSON.parse(text)).toMatchObject({
    end_session_endpoint: 'http://localhost:4000/shop/oauth/end_session',
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  });
});
