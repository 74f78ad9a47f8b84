import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter, readHead } from '@grantlog/postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { answerOf, type ConsentFlow, claimsOf, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import { openWorkbench, type TestAccount, type Workbench } from '../support/workbench.ts';

const platform = 'pages' as PlatformId;
const evilName = '<b onclick=alert(1)>Ar\u202elo\u200b</b>"\'&amp;';

let deployment: Deployment;
let bench: Workbench;
let alice: TestAccount;
let bob: TestAccount;
let flow: ConsentFlow;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform);
  [alice, bob] = [await bench.account(platform), await bench.account(platform, { displayName: evilName })];
  const client = await bench.client(platform, { redirectUris: ['https://client.example/cb?tenant=1'] });
  flow = createConsentFlow({ deployment, platform, client, account: alice });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

/** What the log gained meanwhile. */
const recorded = async <Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly events: readonly string[] }> => {
  const after = await readHead(bench.context.pool, platform);
  const result = await work();
  return { result, events: (await readEventsAfter(bench.context.pool, { platform, after, limit: 100 })).map((event) => event.type) };
};

describe('a decision', () => {
  test('AZ-18, AZ-22: to allow leads back by 303 with code, state and iss, and nothing else', async () => {
    const { visitor, page } = await flow.atConsent();
    const allowed = await flow.decide(visitor, page, 'allow');
    expect(allowed.status).toBe(303);
    expect(allowed.location?.href.startsWith('https://client.example/cb?tenant=1&')).toBe(true);
    expect(answerOf(allowed)).toEqual({
      tenant: '1',
      code: expect.stringMatching(/^tst_c[\w-]{77}$/),
      state: 'state-1',
      iss: `${deployment.publicUrl}/${platform}`,
    });
    expect(allowed.headers.get('cache-control')).toBe('no-store');
    expect(allowed.headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('AZ-31: to deny leads back with access_denied, state and iss, and is recorded', async () => {
    const { visitor, page } = await flow.atConsent();
    const { result: denied, events } = await recorded(() => flow.decide(visitor, page, 'deny'));
    expect(events).toEqual(['grant.denied']);
    expect(denied.status).toBe(303);
    expect(answerOf(denied)).toMatchObject({
      error: 'access_denied',
      state: 'state-1',
      iss: `${deployment.publicUrl}/${platform}`,
    });
  });

  test('is made once: a second click gets the identical redirect, whatever it clicks', async () => {
    const { visitor, page } = await flow.atConsent();
    const first = await flow.decide(visitor, page, 'allow');
    const clicks = await recorded(async () => [await flow.decide(visitor, page, 'allow'), await flow.decide(visitor, page, 'deny')]);
    expect(clicks.events).toEqual([]);
    for (const { status, location } of clicks.result) expect({ status, location }).toEqual({ status: 303, location: first.location });
    expect((await flow.redeem(answerOf(first)['code'])).status).toBe(200);
    const late = await flow.decide(visitor, page, 'allow');
    expect({ status: late.status, location: late.location }).toEqual({ status: 400, location: null });
  });

  test('of a double click at once is one grant and one redirect', async () => {
    const { visitor, page } = await flow.atConsent();
    const { result: clicks, events } = await recorded(() =>
      Promise.all(Array.from({ length: 10 }, () => flow.decide(visitor, page, 'allow'))),
    );
    expect(new Set(clicks.map((click) => click.location?.href)).size).toBe(1);
    expect(clicks[0]?.status).toBe(303);
    expect(events).toEqual(['grant.authorized']);
  });

  test.each(['', 'yes', 'ALLOW', 'allow deny'])('is nothing else than allow or deny: "%s" is refused', async (decision) => {
    const { visitor, page } = await flow.atConsent();
    const { result, events } = await recorded(() => flow.decide(visitor, page, decision));
    expect({ status: result.status, location: result.location, events }).toEqual({ status: 400, location: null, events: [] });
  });

  test.each(['grösse 🗝️', 'a\r\nset-cookie: evil=1', 'x&code=evil#y'])('AZ-20: carries the state %j exactly', async (state) => {
    const { visitor, page } = await flow.atConsent({ state });
    expect((await flow.decide(visitor, page, 'allow')).location?.searchParams.getAll('state')).toEqual([state]);
  });
});

describe('a form that is not this page of this browser is refused and records nothing', () => {
  const forged: readonly (readonly [string, (visitor: Visitor, page: Visit) => Promise<Visit>, number])[] = [
    ['AZ-35: no CSRF token', (visitor, page) => flow.decide(visitor, page, 'allow', { csrf: '' }), 403],
    ['AZ-35: a wrong CSRF token', (visitor, page) => flow.decide(visitor, page, 'allow', { csrf: 'A'.repeat(43) }), 403],
    [
      'AZ-35: the CSRF token of another browser',
      async (visitor, page) => flow.decide(visitor, page, 'allow', { csrf: (await flow.atConsent()).page.hidden['csrf'] ?? '' }),
      403,
    ],
    [
      'AZ-35: a foreign Origin',
      (visitor, page) => visitor.post(flow.at('/consent'), { ...page.hidden, decision: 'allow' }, { origin: 'https://evil.example' }),
      403,
    ],
    [
      'AZ-35: the Origin null',
      (visitor, page) => visitor.post(flow.at('/consent'), { ...page.hidden, decision: 'allow' }, { origin: 'null' }),
      403,
    ],
    ['AZ-35: no cookies', (_, page) => flow.decide(flow.newVisitor(), page, 'allow'), 403],
    ['AZ-34: no sealed request', (visitor, page) => flow.decide(visitor, page, 'allow', { request: '' }), 400],
    [
      'AZ-34: a sealed request with a byte changed',
      (visitor, page) =>
        flow.decide(visitor, page, 'allow', {
          request: (page.hidden['request'] ?? '').replace(/.{20}$/, (end) => end.split('').reverse().join('')),
        }),
      400,
    ],
    [
      'AZ-34: the sealed request cut short',
      (visitor, page) => flow.decide(visitor, page, 'allow', { request: (page.hidden['request'] ?? '').slice(0, 40) }),
      400,
    ],
    [
      'AZ-34: the sealed request of another browser',
      async (visitor, page) => flow.decide(visitor, page, 'allow', { request: (await flow.atConsent()).page.hidden['request'] ?? '' }),
      400,
    ],
    [
      'the sealed request of the sign-in page',
      async (visitor, page) =>
        flow.decide(visitor, page, 'allow', {
          request: (await visitor.open(flow.authorizeUrl({ prompt: 'login' }))).hidden['request'] ?? '',
        }),
      400,
    ],
    [
      'the sign-in cookie as the sealed request',
      (visitor, page) =>
        flow.decide(visitor, page, 'allow', { request: [...visitor.cookies].find(([name]) => name.endsWith('sign-in'))?.[1] ?? '' }),
      400,
    ],
    [
      'a JSON body',
      (visitor, page) => visitor.post(flow.at('/consent'), { ...page.hidden, decision: 'allow' }, { 'content-type': 'application/json' }),
      400,
    ],
    [
      'a repeated sealed request',
      (visitor, page) =>
        visitor.post(flow.at('/consent'), [
          ...Object.entries(page.hidden),
          ['request', page.hidden['request'] ?? ''],
          ['decision', 'allow'],
        ]),
      400,
    ],
    [
      'a repeated decision',
      (visitor, page) => visitor.post(flow.at('/consent'), [...Object.entries(page.hidden), ['decision', 'allow'], ['decision', 'deny']]),
      400,
    ],
  ];
  test.each(forged)('%s', async (_, attack, status) => {
    const { visitor, page } = await flow.atConsent();
    const { result, events } = await recorded(() => attack(visitor, page));
    expect({ status: result.status, location: result.location }).toEqual({ status, location: null });
    expect(events.filter((type) => type.startsWith('grant.'))).toEqual([]);
    // The page itself is still good.
    expect((await flow.decide(visitor, page, 'allow')).status).toBe(303);
  });

  test('AZ-35: a sign-in without the token of its own page, or from elsewhere', async () => {
    const visitor = flow.newVisitor();
    const page = await visitor.open(flow.authorizeUrl());
    expect((await flow.signIn(visitor, page, alice, { csrf: 'A'.repeat(43) })).status).toBe(403);
    expect((await visitor.post(flow.at('/sign-in'), { ...page.hidden, ...alice }, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await flow.signIn(flow.newVisitor(), page, alice)).status).toBe(403);
    expect((await flow.signIn(visitor, page, alice, { request: 'nonsense' })).status).toBe(400);
    expect([...visitor.cookies.keys()].some((name) => name.endsWith('sign-in'))).toBe(false);
  });

  test('AZ-34: what was asked first is what is decided, whatever the forms add', async () => {
    const visitor = flow.newVisitor();
    const added = {
      response_type: 'token',
      redirect_uri: 'https://evil.example/cb',
      scope: 'openid read write',
      client_id: 'other',
      state: 'other',
    };
    const page = await flow.signIn(visitor, await visitor.open(flow.authorizeUrl()), alice, added);
    const allowed = await flow.decide(visitor, page, 'allow', added);
    expect(allowed.location?.origin).toBe('https://client.example');
    expect(answerOf(allowed)['state']).toBe('state-1');
    expect((await flow.redeem(answerOf(allowed)['code'])).body['scope']).toBe('openid read');
  });

  test('a consent page shown to one account decides nothing once another has signed in', async () => {
    const { visitor, page } = await flow.atConsent();
    const other = await flow.signIn(visitor, await visitor.open(flow.authorizeUrl({ prompt: 'login' })), bob);
    const refused = await flow.decide(visitor, page, 'allow');
    expect({ status: refused.status, location: refused.location }).toEqual({ status: 400, location: null });
    expect((await flow.decide(visitor, other, 'allow')).status).toBe(303);
  });
});

describe('who is there', () => {
  test('AZ-27, AZ-30: prompt=none says consent_required to the person hinted at, login_required to another', async () => {
    const { visitor, page } = await flow.atConsent();
    const tokens = (await flow.redeem(answerOf(await flow.decide(visitor, page, 'allow'))['code'])).body;
    const silent = async (who: Visitor, hint: object): Promise<unknown> =>
      answerOf(await who.open(flow.authorizeUrl({ prompt: 'none', ...hint })))['error'];
    const hint = { id_token_hint: String(tokens['id_token']) };
    expect(await silent(visitor, {})).toBe('consent_required');
    expect(await silent(visitor, hint)).toBe('consent_required');
    expect(await silent(flow.newVisitor(), hint)).toBe('login_required');
    const someoneElse = (await flow.atConsent({}, bob)).visitor;
    expect(await silent(someoneElse, {})).toBe('consent_required');
    expect(await silent(someoneElse, hint)).toBe('login_required');
    expect((await someoneElse.open(flow.authorizeUrl(hint))).text).toContain('name="password"');
    expect(await silent(visitor, { id_token_hint: `${hint.id_token_hint.slice(0, -5)}AAAAA` })).toBe('invalid_request');
  });

  test.each([
    ['AZ-28: prompt=login', { prompt: 'login' }],
    ['AZ-28: prompt=select_account', { prompt: 'select_account' }],
    ['AZ-29: max_age=1 after two seconds', { max_age: '1' }],
  ])('%s asks for the password again, and auth_time says so', async (_, change) => {
    const { visitor, page } = await flow.atConsent();
    const before = claimsOf((await flow.redeem(answerOf(await flow.decide(visitor, page, 'allow'))['code'])).body['id_token'])['auth_time'];
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const again = await visitor.open(flow.authorizeUrl(change));
    expect(again.text).toContain('name="password"');
    const allowed = await flow.decide(visitor, await flow.signIn(visitor, again, alice), 'allow');
    const after = claimsOf((await flow.redeem(answerOf(allowed)['code'])).body['id_token'])['auth_time'];
    expect(Number(after)).toBeGreaterThanOrEqual(Number(before) + 2);
    expect((await visitor.open(flow.authorizeUrl({ max_age: '600' }))).text).toContain('name="decision"');
  });

  test('a wrong password and an unknown account read the same, and sign nobody in', async () => {
    const pages = await Promise.all(
      [alice, { ...alice, email: 'nobody@pages.example' }].map(async (account) => {
        const visitor = flow.newVisitor();
        const page = await flow.signIn(visitor, await visitor.open(flow.authorizeUrl()), { ...account, password: 'wrong' });
        expect(page.headers.getSetCookie()).toEqual([]);
        return { status: page.status, text: page.text.replaceAll(/(nonce|value)="[^"]*"/g, '') };
      }),
    );
    expect(pages[0]).toEqual(pages[1]);
    expect(pages[0]?.status).toBe(400);
  });
});

describe('AZ-36, AZ-37: the consent page is honest', () => {
  test('about who asks: names are escaped, what deceives the eye is made visible, and the host is told', async () => {
    const evil = await bench.client(platform, { kind: 'public', how: 'dynamic', name: evilName, redirectUris: ['http://127.0.0.1/cb'] });
    const { page } = await flow.atConsent({ client_id: evil.client_id, redirect_uri: 'http://127.0.0.1:50000/cb' }, bob);
    expect(page.text).not.toMatch(/<b |[\u202a-\u202e\u200b-\u200f]/);
    expect(page.text).toContain('&lt;b onclick=alert(1)&gt;Ar\ufffdlo\ufffd&lt;/b&gt;');
    expect(page.text).toContain('<code>127.0.0.1</code>');
    expect(page.text).toContain('an app on this computer');
    expect(page.text).toContain('nobody has verified its name');
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:50000;");
  });

  test('and a redirect URI adds no directive to its security policy', async () => {
    const redirect_uri = 'https://evil;sandbox;.example/cb';
    const odd = await bench.client(platform, { redirectUris: [redirect_uri] });
    const { page } = await flow.atConsent({ client_id: odd.client_id, redirect_uri });
    expect(page.headers.get('content-security-policy')).not.toContain('sandbox');
  });
});
