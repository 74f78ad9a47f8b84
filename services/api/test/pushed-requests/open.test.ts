import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Fields, KeyedClient, TestKey } from '../client-assertion/support/keyed-clients.ts';
import { shown, signed } from '../client-assertion/support/keyed-clients.ts';
import type { Seen } from '../pages/support/agents.ts';
import { openPushWorld, type PushWorld } from './support/pushers.ts';

let world: PushWorld;
let client: KeyedClient & { readonly key: TestKey };
let person: Awaited<ReturnType<PushWorld['account']>>;
beforeAll(async () => {
  world = await openPushWorld(inject('databaseUrl'));
  client = await world.keyed();
  person = await world.account(world.platform);
});
afterAll(() => world.close());

type Browser = ReturnType<PushWorld['createBrowser']>;
const signedIn = async (): Promise<Browser> => {
  const browser = world.createBrowser(world.platform);
  const page = await browser.open('/sign-in');
  await browser.post('/sign-in', { ...page.hidden, email: person.email, password: person.password });
  return browser;
};
const decide = (browser: Browser, page: Seen, decision: 'allow' | 'deny' = 'allow'): Promise<Seen> =>
  browser.post('/consent', { ...page.hidden, decision });
const answerOf = ({ location }: Seen): Fields => Object.fromEntries(new URL(location ?? 'https://nowhere.example').searchParams);
const asksFor = (page: Seen): void => expect([page.status, page.text.includes('name="decision"')]).toEqual([200, true]);
const isRefusedOnAPage = (page: Seen, text: RegExp): void => {
  expect([page.status, page.location]).toEqual([400, undefined]);
  expect(page.text).toMatch(text);
};
const redeem = (code: string | undefined, uri = world.redirectUri) =>
  world.clients.send(`/${world.platform}/oauth/token`, {
    ...shown(signed(client.key, world.clients.claims(client))),
    grant_type: 'authorization_code',
    code: code ?? '',
    code_verifier: world.verifier,
    redirect_uri: uri,
  });

describe('a request that was pushed', () => {
  test('leads by sign-in and consent to a code, and to tokens', async () => {
    const browser = world.createBrowser(world.platform);
    const form = await browser.open(world.pathOf(client, await world.pushed(client)));
    const page = await browser.post('/sign-in', { ...form.hidden, email: person.email, password: person.password });
    asksFor(page);
    const decided = await decide(browser, page);
    expect(decided.location?.startsWith(`${world.redirectUri}?`)).toBe(true);
    expect(answerOf(decided)).toMatchObject({ state: 'pushed-state', iss: world.clients.issuerOf(world.platform) });
    expect(await redeem(answerOf(decided)['code'])).toMatchObject({ status: 200, body: { scope: 'read' } });
  });

  test('is what counts, whatever stands beside its request_uri (FA-17)', async () => {
    const browser = await signedIn();
    const path = world.pathOf(client, await world.pushed(client), {
      state: 'from-the-url',
      scope: 'openid write',
      redirect_uri: 'https://evil.example/cb',
      response_type: 'token',
      prompt: 'none',
      code_challenge: 'x',
      nonce: 'n',
    });
    const page = await browser.open(path);
    asksFor(page);
    expect(page.text).not.toContain('Change your things');
    expect(answerOf(await decide(browser, page))).toMatchObject({ state: 'pushed-state' });
  });

  test('is shown again when its page is reloaded before the decision, and not afterwards (FA-14, FA-15)', async () => {
    const browser = await signedIn();
    const path = world.pathOf(client, await world.pushed(client));
    asksFor(await browser.open(path));
    const page = await browser.open(path);
    asksFor(page);
    expect(answerOf(await decide(browser, page))['code']).toEqual(expect.any(String));
    isRefusedOnAPage(await browser.open(path), /decided already/);
    isRefusedOnAPage(await world.createBrowser(world.platform).open(path), /decided already/);
  });

  test('is decided by a no as well', async () => {
    const browser = await signedIn();
    const path = world.pathOf(client, await world.pushed(client));
    expect(answerOf(await decide(browser, await browser.open(path), 'deny'))).toMatchObject({ error: 'access_denied' });
    isRefusedOnAPage(await browser.open(path), /decided already/);
  });

  test('is decided once, however many pages of it are open', async () => {
    const browser = await signedIn();
    const path = world.pathOf(client, await world.pushed(client));
    const [first, second] = [await browser.open(path), await browser.open(path)];
    expect(answerOf(await decide(browser, first))['code']).toEqual(expect.any(String));
    isRefusedOnAPage(await decide(browser, second), /decided already/);
    // The same click once more is answered as before.
    expect((await decide(browser, first)).location).toEqual(expect.stringContaining('code='));
  });

  test('is opened for ninety seconds, and decided at leisure', async () => {
    const browser = await signedIn();
    const [late, early] = [world.pathOf(client, await world.pushed(client)), world.pathOf(client, await world.pushed(client))];
    const page = await browser.open(early);
    await world.deps.pool.query(`update pushed_request set expires_at = now() - interval '1 second'`);
    isRefusedOnAPage(await browser.open(late), /has run out/);
    expect(answerOf(await decide(browser, page))['code']).toEqual(expect.any(String));
  });

  test("is nobody's but its client's, on its own platform (FA-14)", async () => {
    const browser = await signedIn();
    const requestUri = await world.pushed(client);
    const other = await world.keyed();
    isRefusedOnAPage(await browser.open(world.pathOf(other, requestUri)), /another app/);
    await world.configure('neighbours');
    const elsewhere = world.createBrowser('neighbours' as typeof world.platform);
    isRefusedOnAPage(await elsewhere.open(world.pathOf(client, requestUri)), /another app/);
    isRefusedOnAPage(await browser.open(world.pathOf(client, `${requestUri}x`)), /another app/);
    isRefusedOnAPage(await browser.open(`/oauth/authorize?request_uri=${requestUri}`), /client_id/);
    asksFor(await browser.open(world.pathOf(client, requestUri)));
  });

  test('is worth nothing in a row that somebody has edited', async () => {
    const browser = await signedIn();
    const [moved, broken, other] = [await world.pushed(client), await world.pushed(client), await world.keyed()];
    const id = (requestUri: string): Buffer =>
      createHash('sha256')
        .update(requestUri.split(':').at(-1) ?? '')
        .digest();
    const names = await world.deps.directory.open(world.platform);
    await world.deps.pool.query('update pushed_request set client = $1 where id = $2', [names?.client(other.clientId), id(moved)]);
    await world.deps.pool.query(`update pushed_request set sealed = sealed || '\\x00'::bytea where id = $1`, [id(broken)]);
    isRefusedOnAPage(await browser.open(world.pathOf(other, moved)), /another app/);
    isRefusedOnAPage(await browser.open(world.pathOf(client, broken)), /another app/);
  });

  test('is judged anew when it is opened', async () => {
    const browser = await signedIn();
    const fickle = await world.keyed();
    const requestUri = await world.pushed(fickle);
    const operator = await world.operator('operator');
    const at = `/${world.platform}/manage/clients/${fickle.clientId}`;
    await world.call(operator, 'PATCH', at, { redirectUris: ['https://client.example/other'] });
    isRefusedOnAPage(await browser.open(world.pathOf(fickle, requestUri)), /redirect_uri/);
    await world.call(operator, 'POST', `${at}/disable`, {});
    isRefusedOnAPage(await browser.open(world.pathOf(fickle, requestUri)), /disabled/);
  });

  test('is used up by a consent that is remembered, too', async () => {
    const mindful = await world.configure('mindful');
    const regular = await world.account(mindful);
    const theirs = await world.keyed({}, mindful);
    const browser = world.createBrowser(mindful);
    const form = await browser.open(world.pathOf(theirs, await world.pushed(theirs)));
    await decide(browser, await browser.post('/sign-in', { ...form.hidden, email: regular.email, password: regular.password }));
    const path = world.pathOf(theirs, await world.pushed(theirs));
    expect(answerOf(await browser.open(path))).toMatchObject({ code: expect.any(String), state: 'pushed-state' });
    isRefusedOnAPage(await browser.open(path), /decided already/);
  });

  test('is not to be read in the log of requests', async () => {
    const requestUri = await world.pushed(client);
    await (await signedIn()).open(world.pathOf(client, requestUri));
    const lines = world.lines.join('');
    expect(lines.includes('request_uri=[redacted]')).toBe(true);
    expect(lines.includes(requestUri.split(':').at(-1) ?? '')).toBe(false);
  });
});

describe('a client that has to push', () => {
  test('hears so at its redirect URI when the browser brings the request, and is served when it pushes', async () => {
    const strict = await world.keyed({ extras: { parRequired: true } });
    const browser = await signedIn();
    const refused = await browser.open(world.authorizePath({ ...world.asked, client_id: strict.clientId }));
    expect(refused.status).toBe(303);
    expect(answerOf(refused)).toMatchObject({ error: 'invalid_request', state: 'pushed-state' });
    asksFor(await browser.open(world.pathOf(strict, await world.pushed(strict))));
    asksFor(await browser.open(world.authorizePath({ ...world.asked, client_id: client.clientId })));
  });
});

test('a request_uri of somebody else is not followed (AZ-32)', async () => {
  const path = world.authorizePath({ ...world.asked, client_id: client.clientId, request_uri: 'https://client.example/request.jwt' });
  expect(answerOf(await (await signedIn()).open(path))).toMatchObject({ error: 'request_uri_not_supported', state: 'pushed-state' });
});
