import { randomToken } from '@grantlog/crypto';
import { listMail } from '@grantlog/postgres';
import { openMail } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createWorld, tenantJson, type World } from '../management/support/world.ts';

let world: World;
let app: FastifyInstance;
let root: string;
const lines: string[] = [];
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  root = await world.operator('operator');
  const logger = createLogger({ service: 'api', level: 'trace', destination: { write: (line: string) => void lines.push(line) } });
  app = await createApp({ ...world.deps, logger });
  for (const name of ['open', 'next'])
    await world.call(root, 'PUT', `/system/manage/platforms/${name}`, tenantJson(name, { signIn: { registration: 'open' } }));
});
afterAll(async () => {
  await app.close();
  await world.close();
});

const decode = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
const hidden = (page: string, name: string): string => decode(new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '');

/** A browser at an address of its own, so that tests share no throttle. */
const createBrowser = (platform = 'open') => {
  const cookies: Record<string, string> = {};
  const remoteAddress = `10.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
  const send = async (options: { readonly path: string; readonly form?: Readonly<Record<string, string>> }) => {
    const response = await app.inject({
      method: options.form === undefined ? 'GET' : 'POST',
      url: `/${platform}${options.path}`,
      remoteAddress,
      cookies,
      ...(options.form === undefined
        ? {}
        : { headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: new URLSearchParams(options.form).toString() }),
    });
    for (const { name, value } of response.cookies) cookies[name] = value;
    return { status: response.statusCode, text: response.body, headers: response.headers };
  };
  return {
    cookies,
    open: (path: string) => send({ path }),
    post: (path: string, form: Readonly<Record<string, string>>) => send({ path, form }),
  };
};
const fresh = () => ({
  email: `${randomToken(8).toLowerCase()}@people.example`,
  name: 'Ada Example',
  password: `correct horse ${randomToken(6)}`,
});
const codes = async (to: string): Promise<readonly string[]> => {
  const mails = (await listMail(world.deps.pool, 500)).map((row) => openMail(world.deps.sealer, row)).filter((mail) => mail.to === to);
  return mails.map(({ text }) => /^The code is: (\S+)$/m.exec(text)?.[1] ?? '');
};
const lastMail = async (to: string) =>
  (await listMail(world.deps.pool, 500)).map((row) => openMail(world.deps.sealer, row)).find((mail) => mail.to === to);
/** A browser that is asked for the code. */
const atCode = async (person: ReturnType<typeof fresh>, browser = createBrowser()) => {
  const csrf = hidden((await browser.open('/sign-up')).text, 'csrf');
  const page = await browser.post('/sign-up', { csrf, ...person });
  return { browser, page, csrf, draft: hidden(page.text, 'request') };
};
const accountsOf = async (): Promise<number> => {
  const { rows } = await world.deps.pool.query<{ count: number }>(
    `select count(*)::int as count from event where platform = 'open' and type = 'account.registered'`,
  );
  return rows[0]?.count ?? 0;
};
const heads = async () => Promise.all(['open', 'next'].map((name) => world.head(name as never)));

test('a person makes an account with the code that was mailed, is signed in, and can sign in again', async () => {
  const person = fresh();
  const { browser, page, csrf, draft } = await atCode(person);
  expect(page.status).toBe(200);
  const [code = ''] = await codes(person.email);
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  const done = await browser.post('/sign-up/code', { csrf, request: draft, code: ` ${code.toLowerCase()} ` });
  expect([done.status, done.text]).toEqual([200, expect.stringContaining('You are signed in')]);
  expect(Object.keys(browser.cookies)).toContain('grantlog-open-sign-in');
  const { rows } = await world.deps.pool.query(
    `select data, stream_id from event where platform = 'open' and type = 'account.registered' order by position desc`,
  );
  expect(rows[0]).toMatchObject({ data: { kind: 'person', emailVerified: true } });
  const { rows: signIns } = await world.deps.pool.query(
    `select s.correlation_id = a.correlation_id as "isOneRequest", s.causation_id = a.commit_id::text as "comesOfAccount"
     from event s join event a on a.platform = s.platform and a.type = 'account.registered' and a.stream_id::text = s.data ->> 'account'
     where s.platform = 'open' and s.type = 'sign_in.succeeded' and a.stream_id = $1`,
    [rows[0].stream_id],
  );
  expect(signIns).toEqual([{ isOneRequest: true, comesOfAccount: true }]);
  const later = createBrowser();
  const form = { csrf: hidden((await later.open('/sign-in')).text, 'csrf'), email: person.email, password: person.password };
  expect((await later.post('/sign-in', form)).status).toBe(200);
});

test('nothing is recorded until the code is right', async () => {
  const before = await heads();
  const person = fresh();
  const { browser, csrf, draft } = await atCode(person);
  const wrong = await browser.post('/sign-up/code', { csrf, request: draft, code: '00000000' });
  expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('not the code')]);
  expect(await heads()).toEqual(before);
});

test('an email with an account is answered as one without, but for the mail', async () => {
  const known = fresh();
  const first = await atCode(known);
  await first.browser.post('/sign-up/code', { csrf: first.csrf, request: first.draft, code: (await codes(known.email))[0] ?? '' });
  const before = await heads();
  const asked = { ...known, password: 'another password entirely' };
  const answers = [await atCode(asked), await atCode(fresh())];
  const shown = answers.map(({ page }) => ({
    status: page.status,
    headers: Object.keys(page.headers).sort(),
    text: page.text.replaceAll(/(value|nonce)="[^"]*"/g, '$1').replace(/<strong>[^<]*</, '<'),
    // What is sealed is as long as what was typed.
    length: hidden(page.text, 'request').length > 500,
  }));
  expect(shown[0]).toEqual(shown[1]);
  const [answer] = answers;
  const guess = await answer?.browser.post('/sign-up/code', { csrf: answer.csrf, request: answer.draft, code: '00000000' });
  expect([guess?.status, guess?.text]).toEqual([400, expect.stringContaining('not the code')]);
  const mail = await lastMail(known.email);
  expect(mail?.text).toMatch(/has one already/);
  expect(mail?.text).not.toMatch(/The code is/);
  expect(await heads()).toEqual(before);
  const later = createBrowser();
  const form = { csrf: hidden((await later.open('/sign-in')).text, 'csrf'), email: known.email };
  expect((await later.post('/sign-in', { ...form, password: asked.password })).status).toBe(400);
  expect((await later.post('/sign-in', { ...form, password: known.password })).status).toBe(200);
});

test('one form that is sent five times at once makes one account', async () => {
  const person = fresh();
  const { browser, csrf, draft } = await atCode(person);
  const [code = ''] = await codes(person.email);
  const before = await accountsOf();
  const answers = await Promise.all(Array.from({ length: 5 }, () => browser.post('/sign-up/code', { csrf, request: draft, code })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  expect(await accountsOf()).toBe(before + 1);
});

test('two forms for one email make one account, of whoever types the code first', async () => {
  const person = fresh();
  const [one, two] = [await atCode(person), await atCode({ ...person, password: 'another password entirely' })];
  const mailed = await codes(person.email);
  const before = await accountsOf();
  // A code belongs to its own form: the other one's is wrong, and none is in a form's own text.
  const crossed = await Promise.all(mailed.map((code) => one.browser.post('/sign-up/code', { csrf: one.csrf, request: one.draft, code })));
  expect(crossed.map(({ status }) => status).sort()).toEqual([200, 400]);
  const late = await Promise.all(mailed.map((code) => two.browser.post('/sign-up/code', { csrf: two.csrf, request: two.draft, code })));
  expect(late.map(({ status }) => status).sort()).toEqual([400, 409]);
  expect(await accountsOf()).toBe(before + 1);
});

test('a form’s code is tried five times, also by copies of the form and by the right code afterwards', async () => {
  const person = fresh();
  const { browser, csrf, draft } = await atCode(person);
  for (let count = 0; count < 5; count += 1)
    expect((await browser.post('/sign-up/code', { csrf, request: draft, code: `0000000${count}` })).status).toBe(400);
  const [code = ''] = await codes(person.email);
  const sixth = await browser.post('/sign-up/code', { csrf, request: draft, code });
  expect(sixth.status).toBe(429);
  expect(Number(sixth.headers['retry-after'])).toBeGreaterThan(60);
});

test('one address cannot fill a mailbox, whether it has an account or not', async () => {
  const browser = createBrowser();
  const person = fresh();
  const statuses = [];
  for (let count = 0; count < 5; count += 1) statuses.push((await atCode(person, browser)).page.status);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  expect(await codes(person.email)).toHaveLength(3);
});

describe('a form', () => {
  test('belongs to its browser, its platform and its kind', async () => {
    const person = fresh();
    const { browser, csrf, draft } = await atCode(person);
    const [code = ''] = await codes(person.email);
    const before = await heads();
    const other = createBrowser();
    const otherCsrf = hidden((await other.open('/sign-up')).text, 'csrf');
    expect((await other.post('/sign-up/code', { csrf: otherCsrf, request: draft, code })).status).toBe(400);
    expect((await other.post('/sign-up/code', { csrf, request: draft, code })).status).toBe(403);
    const elsewhere = createBrowser('next');
    const elsewhereCsrf = hidden((await elsewhere.open('/sign-up')).text, 'csrf');
    // Even a browser that carries the same id over.
    elsewhere.cookies['grantlog-next-browser'] = browser.cookies['grantlog-open-browser'] ?? '';
    expect((await elsewhere.post('/sign-up/code', { csrf: elsewhereCsrf, request: draft, code })).status).toBe(403);
    for (const wrong of ['', 'nonsense', csrf, `${draft.slice(0, -2)}AA`])
      expect((await browser.post('/sign-up/code', { csrf, request: wrong, code })).status).toBe(400);
    expect((await browser.post('/sign-up', { csrf, request: draft, ...person })).status).toBe(400);
    expect((await browser.post('/sign-up', { ...person })).status).toBe(403);
    expect(await heads()).toEqual(before);
  });

  test.each([
    ['no email', { email: 'nobody' }, 'no email address'],
    ['two emails', { email: 'a@b.example, c@d.example' }, 'no email address'],
    ['an email with a line break', { email: 'a@b.example\nbcc: c@d.example' }, 'no email address'],
    ['no name', { name: ' ' }, 'A name has'],
    ['a name of two lines', { name: 'Ada\nExample' }, 'A name has'],
    ['a short password', { password: 'elevenchars' }, 'at least 12'],
    ['a password that is short but many bytes', { password: '😀😀😀😀😀😀😀😀😀😀😀' }, 'at least 12'],
    ['a password of 1,025 bytes', { password: 'x'.repeat(1_025) }, 'at most 1,024'],
    ['the email as the password', { email: 'somebody@people.example', password: 'Somebody@People.Example' }, 'may not be the email'],
  ])('with %s is shown again with what is wrong, and mails nothing', async (_, wrong, words) => {
    const person = { ...fresh(), ...wrong };
    const { page } = await atCode(person);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining(words)]);
    expect(page.text).not.toContain(`value="${person.password}"`);
    expect(await lastMail(person.email.trim().toLowerCase())).toBeUndefined();
  });
});

test('the request of an app waits through the sign-up and is asked about after it', async () => {
  await world.call(root, 'POST', '/open/manage/clients', {
    clientId: 'the-app',
    kind: 'confidential',
    name: 'The App',
    redirectUris: ['https://app.example/cb'],
  });
  const person = fresh();
  const browser = createBrowser();
  const query = new URLSearchParams({
    client_id: 'the-app',
    response_type: 'code',
    redirect_uri: 'https://app.example/cb',
    scope: 'read',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    // As long as state may be in a form that carries it sealed along with everything else.
    state: 's'.repeat(6_000),
  });
  const signIn = await browser.open(`/oauth/authorize?${query}`);
  expect(signIn.text).toContain('action="/open/sign-up"');
  const csrf = hidden(signIn.text, 'csrf');
  const form = await browser.post('/sign-up', { csrf, request: hidden(signIn.text, 'request') });
  expect([form.status, form.text]).toEqual([200, expect.stringContaining('name="password"')]);
  const page = await browser.post('/sign-up', { csrf, request: hidden(form.text, 'request'), ...person });
  const consent = await browser.post('/sign-up/code', {
    csrf,
    request: hidden(page.text, 'request'),
    code: (await codes(person.email))[0] ?? '',
  });
  expect([consent.status, consent.text]).toEqual([200, expect.stringContaining('Allow The App?')]);
  const decided = await browser.post('/consent', { csrf, request: hidden(consent.text, 'request'), decision: 'allow' });
  expect(decided.status).toBe(303);
  expect(decided.headers.location).toMatch(/^https:\/\/app\.example\/cb\?code=/);
});

test('a platform that requires a second step asks for it before anybody is signed in', async () => {
  await world.call(
    root,
    'PUT',
    '/system/manage/platforms/strict',
    tenantJson('strict', { signIn: { registration: 'open', mfa: 'required' } }),
  );
  const person = fresh();
  const { browser, csrf, draft } = await atCode(person, createBrowser('strict'));
  const page = await browser.post('/sign-up/code', { csrf, request: draft, code: (await codes(person.email))[0] ?? '' });
  expect(page.text).not.toContain('You are signed in');
  expect(Object.keys(browser.cookies)).not.toContain('grantlog-strict-sign-in');
});

test('where operators alone make accounts there is no sign-up, and no way to it', async () => {
  const browser = createBrowser('arlo');
  const page = await browser.open('/sign-in');
  expect(page.text).not.toContain('sign-up');
  expect((await browser.open('/sign-up')).status).toBe(404);
  const csrf = hidden(page.text, 'csrf');
  for (const [path, form] of [
    ['/sign-up', { csrf, ...fresh() }],
    ['/sign-up/code', { csrf, request: 'x', code: 'x' }],
  ] as const)
    expect((await browser.post(path, form)).status).toBe(404);
});

test('no password, code, email, name or draft is in a log line, a URL or, in the clear, in the database', async () => {
  const person = { email: 'canary.person@people.example', name: 'Canarina Nightingale', password: 'canary password of somebody' };
  const { browser, csrf, draft } = await atCode(person);
  const [code = ''] = await codes(person.email);
  await browser.post('/sign-up/code', { csrf, request: draft, code: '11111111' });
  await browser.post('/sign-up/code', { csrf, request: draft, code });
  await atCode({ ...person, password: 'short canary' });
  const { rows } = await world.deps.pool.query<{ text: string }>(
    `select coalesce(string_agg(e::text, ' '), '') || coalesce((select string_agg(m::text, ' ') from mail m), '') as text from event e`,
  );
  const written = lines.join('\n') + (rows[0]?.text ?? '');
  expect(lines.length).toBeGreaterThan(10);
  for (const secret of [person.email, person.name, person.password, code, code.replace('-', ''), draft.slice(0, 60), 'canary'])
    expect(written).not.toContain(secret);
});
