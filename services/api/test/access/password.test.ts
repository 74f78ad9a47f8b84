import { randomToken } from '@grantlog/crypto';
import type { AccountId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { listMail } from '@grantlog/postgres';
import { openMail, registerAccount } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createWorld, type World } from '../management/support/world.ts';
import { createExplorers, type Explorers, type Person } from './support/explorers.ts';

let world: World;
let explorers: Explorers;
let app: FastifyInstance;
let [here, elsewhere] = [] as unknown as [PlatformId, PlatformId];
const lines: string[] = [];
beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  explorers = createExplorers(world);
  const logger = createLogger({ service: 'api', level: 'trace', destination: { write: (line: string) => void lines.push(line) } });
  app = await createApp({ ...world.deps, logger });
  [here, elsewhere] = [await explorers.configure('here'), await explorers.configure('elsewhere')];
});
beforeEach(async () => {
  vi.restoreAllMocks();
  await world.deps.pool.query('delete from attempt_bucket');
});
afterAll(async () => {
  await app.close();
  await world.close();
});

type Fields = Readonly<Record<string, string>>;

const hidden = (page: string): string => /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
const newBrowser = (platform: PlatformId = here, remoteAddress = '127.0.0.1') => {
  const cookies: Record<string, string> = {};
  const send = async (options: InjectOptions & { readonly url: string }) => {
    const response = await app.inject({ ...options, remoteAddress, cookies, url: `/${platform}${options.url}` });
    for (const { name, value } of response.cookies) cookies[name] = value;
    return { status: response.statusCode, text: response.body, headers: response.headers };
  };
  const post = (url: string, form: Fields) =>
    send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(form).toString(),
    });
  return {
    cookies,
    open: (url: string) => send({ url }),
    post,
    signIn: async ({ email, password }: Pick<Person, 'email' | 'password'>) =>
      post('/sign-in', { csrf: hidden((await send({ url: '/sign-in' })).text), email, password }),
    /** Whether the browser sees a security page, and not the form to sign in. */
    isSignedIn: async (): Promise<boolean> => (await send({ url: '/security' })).text.includes('security/password'),
    change: async (current: string, next: string, more: Fields = {}) => {
      const csrf = hidden((await send({ url: '/security' })).text);
      return post('/security/password', { csrf, password: current, new_password: next, new_password_again: next, ...more });
    },
  };
};
const signedIn = async (person: Person, platform = here) => {
  const browser = newBrowser(platform);
  expect((await browser.signIn(person)).status).toBe(200);
  return browser;
};
const isGood = async (person: Pick<Person, 'email' | 'password'>, platform = here) => {
  const form = (await newBrowser(platform).signIn(person)).status === 200;
  const basic = (await explorers.ask(platform, await explorers.server(platform), person)).body['active'] === true;
  expect(form).toBe(basic);
  return form;
};
const typesSince = async (head: number): Promise<readonly string[]> => {
  const { rows } = await world.deps.pool.query<{ type: string }>(
    'select type from event where platform = $1 and position > $2 order by position',
    [here, head],
  );
  return rows.map(({ type }) => type);
};
const mailsTo = async ({ email }: Person) =>
  (await listMail(world.deps.pool, 500)).map((row) => openMail(world.deps.sealer, row)).filter(({ to }) => to === email);
const fresh = (): string => `a new password ${randomToken(6)}`;
const passwordsOf = (account: AccountId) =>
  world.deps.pool.query<{ id: string }>(`select data ->> 'credentialId' as id from event where stream_id = $1 and type = $2`, [
    account,
    'account.password_set',
  ]);

describe('the password form of the security page', () => {
  test('changes the password: the new one signs in, at the form and by HTTP Basic, and the old one nowhere', async () => {
    const person = await explorers.person(here);
    const browser = await signedIn(person);
    const [password, head] = [fresh(), await world.head(here)];
    const answer = await browser.change(person.password, password);
    expect([answer.status, answer.text.includes('Your password is changed')]).toEqual([200, true]);
    expect(await typesSince(head)).toEqual(['account.password_set', 'sign_in.succeeded']);
    expect(await isGood({ ...person, password })).toBe(true);
    expect(await isGood(person)).toBe(false);
    expect((await passwordsOf(person.id)).rows).toHaveLength(2);
    expect((await mailsTo(person)).map(({ subject }) => subject)).toEqual(['Your password was changed']);
  });

  test('ends every other sign-in of the account, copies of this one included, and goes on in this browser', async () => {
    const person = await explorers.person(here);
    const [browser, other] = [await signedIn(person), await signedIn(person)];
    const copy = newBrowser();
    Object.assign(copy.cookies, browser.cookies);
    expect((await browser.change(person.password, fresh())).status).toBe(200);
    expect([await browser.isSignedIn(), await other.isSignedIn(), await copy.isSignedIn()]).toEqual([true, false, false]);
  });

  test('ends what other browsers are known by, so that they are strangers to the throttle', async () => {
    const person = await explorers.person(here);
    const [browser, other] = [await signedIn(person), await signedIn(person)];
    const password = fresh();
    await browser.change(person.password, password);
    for (let nth = 0; nth < 10; nth += 1) await newBrowser().signIn(person);
    expect((await newBrowser().signIn({ ...person, password })).status).toBe(429);
    expect((await other.signIn({ ...person, password })).status).toBe(429);
    expect((await browser.signIn({ ...person, password })).status).toBe(200);
  });

  test.each([
    ['too short a password', 'short', {}, 'at least 12 characters'],
    ['a password over 1,024 bytes', 'x'.repeat(1_025), {}, 'at most 1,024 bytes'],
    ['two that differ', 'a new password', { new_password_again: 'a newer password' }, 'not typed the same twice'],
    ['no second one', 'a new password', { new_password_again: '' }, 'not typed the same twice'],
    ['nothing', '', {}, 'at least 12 characters'],
  ])('says what is wrong with %s, and looks at no password for it', async (_, next, more, words) => {
    const person = await explorers.person(here);
    const browser = await signedIn(person);
    const head = await world.head(here);
    const verify = vi.spyOn(world.deps.provisioning.passwords, 'verify');
    const answer = await browser.change(person.password, next, more);
    expect([answer.status, answer.text.includes(words), await typesSince(head)]).toEqual([400, true, []]);
    expect(verify).not.toHaveBeenCalled();
    expect(await browser.isSignedIn()).toBe(true);
  });

  test('takes neither the email address nor the password that stands', async () => {
    const person = await explorers.person(here);
    const browser = await signedIn(person);
    expect((await browser.change(person.password, person.email.toUpperCase())).text).toContain('may not be the email address');
    expect((await browser.change(person.password, person.password)).text).toContain('the same as the current one');
  });

  test('counts a wrong current password against the throttle of the sign-in, and says so', async () => {
    const person = await explorers.person(here);
    const browser = await signedIn(person);
    const head = await world.head(here);
    for (let nth = 0; nth < 10; nth += 1) {
      const answer = await browser.change('not the password', fresh());
      expect([answer.status, answer.text.includes('The password is wrong')]).toEqual([400, true]);
    }
    const refused = await browser.change(person.password, fresh());
    expect([refused.status, Number(refused.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await browser.signIn(person)).status).toBe(429);
    expect(await typesSince(head)).toEqual(Array.from({ length: 10 }, () => 'sign_in.failed'));
  });

  test('is for who is signed in, in the browser that the page was shown in', async () => {
    const person = await explorers.person(here);
    const browser = await signedIn(person);
    const [password, head] = [fresh(), await world.head(here)];
    expect((await browser.change(person.password, password, { csrf: '' })).status).toBe(403);
    expect((await browser.change(person.password, password, { csrf: 'A'.repeat(43) })).status).toBe(403);
    const stranger = newBrowser();
    const csrf = hidden((await stranger.open('/sign-in')).text);
    const fields = { csrf, password: person.password, new_password: password, new_password_again: password };
    expect((await stranger.post('/security/password', fields)).status).toBe(401);
    expect(await typesSince(head)).toEqual([]);
  });

  test('lets one of two changes at once win', async () => {
    const person = await explorers.person(here);
    const [one, other] = [await signedIn(person), await signedIn(person)];
    const answers = await Promise.all([one.change(person.password, fresh()), other.change(person.password, fresh())]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await passwordsOf(person.id)).rows).toHaveLength(2);
  });

  test('touches no account of another platform with the same email and password', async () => {
    const person = await explorers.person(here);
    const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;
    await registerAccount(world.deps.provisioning, by, { ...person, platform: elsewhere, displayName: 'Same', roles: [] });
    const there = await signedIn(person, elsewhere);
    await (await signedIn(person)).change(person.password, fresh());
    expect([await isGood(person, elsewhere), await there.isSignedIn(), await isGood(person)]).toEqual([true, true, false]);
    // Nobody is signed in there by the cookies of here.
    const browser = await signedIn(person, elsewhere);
    const stranger = newBrowser(here);
    Object.assign(stranger.cookies, browser.cookies);
    expect((await stranger.change(person.password, fresh())).status).not.toBe(200);
  });
});

describe('the account API', () => {
  const put = async (authorization: string, payload: object, platform = here) => {
    const url = `/${platform}/account/password`;
    const response = await app.inject({ method: 'PUT', url, headers: { authorization }, payload });
    return { status: response.statusCode, headers: response.headers, body: response.json() as Readonly<Record<string, unknown>> };
  };
  const basic = ({ email, password }: Person): string => `Basic ${btoa(`${email}:${password}`)}`;
  const bearer = async (person: Person): Promise<string> => {
    const resource = 'http://localhost:4000/here/account';
    return `Bearer ${(await explorers.token(here, person.id, { scopes: ['account'], resource })).accessToken}`;
  };

  test('changes the password for who shows the one that stands: browsers sign in again, tokens go on', async () => {
    const person = await explorers.person(here);
    const browser = await signedIn(person);
    const [token, password, head] = [await bearer(person), fresh(), await world.head(here)];
    expect(await put(token, { password: person.password, newPassword: password })).toMatchObject({
      status: 200,
      body: { position: head + 1 },
    });
    expect(await typesSince(head)).toEqual(['account.password_set']);
    expect([await isGood({ ...person, password }), await isGood(person), await browser.isSignedIn()]).toEqual([true, false, false]);
    expect(await mailsTo(person)).toHaveLength(1);
    expect((await put(token, { password, newPassword: fresh() })).status).toBe(200);
  });

  test('takes a token for no proof of the owner, and counts what is wrong', async () => {
    const person = await explorers.person(here);
    const [token, password] = [await bearer(person), fresh()];
    for (let nth = 0; nth < 10; nth += 1) {
      const told = await put(token, { password: 'not the password', newPassword: password });
      expect(told).toMatchObject({ status: 422, body: { code: 'wrong_password' } });
    }
    const refused = await put(token, { password: person.password, newPassword: password });
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await newBrowser().signIn(person)).status).toBe(429);
  });

  test('has the rules of the sign-up', async () => {
    const person = await explorers.person(here);
    const token = await bearer(person);
    const told = async (newPassword: string) => (await put(token, { password: person.password, newPassword })).body['code'];
    expect([await told('short'), await told('x'.repeat(1_025)), await told(person.email), await told(person.password)]).toEqual([
      'password_short',
      'password_long',
      'password_is_email',
      'password_unchanged',
    ]);
    expect(await put(token, { newPassword: fresh() })).toMatchObject({ status: 400, body: { errors: [{ path: 'password' }] } });
  });

  test('is there for HTTP Basic; a program changes its own, and nobody is mailed', async () => {
    const program = await explorers.person(here, { kind: 'integration' });
    const password = fresh();
    expect((await put(basic(program), { password: program.password, newPassword: password })).status).toBe(200);
    const server = await explorers.server(here);
    expect((await explorers.ask(here, server, { ...program, password })).body).toMatchObject({ active: true });
    expect((await explorers.ask(here, server, program)).body).toMatchObject({ active: false, reason: 'invalid_credentials' });
    expect(await mailsTo(program)).toEqual([]);
  });

  test('knows nobody by an account or token of another platform', async () => {
    const person = await explorers.person(elsewhere);
    const token = await explorers.token(elsewhere, person.id, { scopes: ['account'], resource: 'http://localhost:4000/elsewhere/account' });
    for (const authorization of [basic(person), `Bearer ${token.accessToken}`])
      expect((await put(authorization, { password: person.password, newPassword: fresh() })).status).toBe(401);
    expect(await isGood(person, elsewhere)).toBe(true);
  });
});

test('no password, old, new or refused, is in an event, a log line, a mail or a page', async () => {
  const [old, next, wrong, short] = ['canary old password', 'canary new password', 'canary wrong password', 'canary'].map(
    (text) => `${text}-${randomToken(3)}`,
  ) as [string, string, string, string];
  const email = `${randomToken(8).toLowerCase()}@example.com`;
  const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;
  await registerAccount(world.deps.provisioning, by, { platform: here, email, displayName: 'Canary', password: old, roles: [] });
  const person = { id: '' as AccountId, email, password: old };
  const browser = await signedIn(person);
  const pages = [
    await browser.change(wrong, next),
    await browser.change(old, short.slice(0, 11)),
    await browser.change(old, next),
    await browser.change(old, next),
  ];
  expect(pages.map(({ status }) => status)).toEqual([400, 400, 200, 400]);
  const mails = (await mailsTo(person)).map(({ subject, text }) => `${subject}\n${text}`);
  expect(mails).toHaveLength(1);
  // The lines that say why, so that the search is known to have something to find.
  expect(lines.join('\n')).toContain('wrong_password');
  const everywhere = [await world.everything(), ...lines, ...mails, ...pages.map(({ text }) => text)].join('\n');
  for (const secret of [old, next, wrong, short]) expect(everywhere).not.toContain(secret);
});
