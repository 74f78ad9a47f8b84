import type { PlatformId } from '@grantlog/eventsourcing';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createWorld, type World } from '../management/support/world.ts';
import { createExplorers, type Explorers, type Person, resourceOf } from './support/explorers.ts';

let world: World;
let explorers: Explorers;
let [open, closed] = [] as unknown as [PlatformId, PlatformId];
let administrator: Person;

beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  explorers = createExplorers(world);
  open = await explorers.configure('open', {
    exploration: { days: 30, requestsPerDay: 1_000, administratorRole: 'administrator' },
    signIn: { registration: 'open', mfa: 'optional' },
  });
  closed = await explorers.configure('closed', { switches: {}, roles: ['administrator'] });
  administrator = await explorers.person(open, { roles: ['administrator', 'api_user'] });
});
beforeEach(async () => {
  await world.deps.pool.query('delete from attempt_bucket');
});
afterAll(() => world.close());

const basic = ({ email, password }: Pick<Person, 'email' | 'password'>) => ({ authorization: `Basic ${btoa(`${email}:${password}`)}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const make = async (
  headers: InjectOptions['headers'],
  payload: object = { name: 'Nightly export', roles: ['api_user'], password: administrator.password },
  platform: string = open,
) => {
  const response = await world.app.inject({
    method: 'POST',
    url: `/${platform}/account/integration-accounts`,
    headers: headers ?? {},
    payload,
  });
  return { status: response.statusCode, headers: response.headers, body: response.json() as Readonly<Record<string, unknown>> };
};

describe('an integration account', () => {
  test('is made by an administrator, told once, works by HTTP Basic and cannot sign in', async () => {
    const { status, headers, body } = await make(basic(administrator));
    expect([status, headers['cache-control']]).toEqual([201, 'no-store']);
    expect(body).toEqual({
      accountId: expect.any(String),
      username: expect.stringMatching(/^integration-[0-9a-f]{16}@open\.invalid$/),
      password: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/),
    });
    const made = { email: String(body['username']), password: String(body['password']) };
    const answer = await explorers.ask(open, await explorers.server(open), made);
    expect(answer.body).toMatchObject({ active: true, sub: body['accountId'], roles: ['api_user'], account_kind: 'integration' });
    expect((await explorers.browser(open).signIn(made)).body).toContain('integration account');
    const view = await world.call(await world.operator('operator'), 'GET', `/open/manage/accounts/${String(body['accountId'])}`);
    expect(view.body).toMatchObject({ kind: 'integration', emailVerified: false, personal: { email: made.email, name: 'Nightly export' } });
    const { rows } = await world.deps.pool.query<{ actor: unknown }>('select actor from event where stream_id = $1 limit 1', [
      body['accountId'],
    ]);
    expect(rows[0]?.actor).toEqual({ kind: 'account', id: administrator.id });
    expect(await world.everything()).not.toContain(made.password);
  });

  test('has no role that its maker has not', async () => {
    const told = await make(basic(administrator), { name: 'X', roles: ['api_user', 'presenter'], password: administrator.password });
    expect(told).toMatchObject({ status: 403, body: { code: 'role_not_held', role: 'presenter' } });
  });

  test('is not made by who lacks the role, and is told which', async () => {
    const person = await explorers.person(open, { roles: ['api_user'] });
    expect(await make(basic(person))).toMatchObject({ status: 403, body: { code: 'role_required', role: 'administrator' } });
  });

  test('makes no other, whatever its roles', async () => {
    const program = await explorers.person(open, { kind: 'integration', roles: ['administrator'] });
    const asked = { name: 'X', roles: [], password: program.password };
    expect(await make(basic(program), asked)).toMatchObject({ status: 403, body: { code: 'person_required' } });
  });

  test('is not offered where the platform names no role for it', async () => {
    const person = await explorers.person(closed, { roles: ['administrator'] });
    const { accessToken } = await explorers.token(closed, person.id, {
      scopes: ['account'],
      resource: 'http://localhost:4000/closed/account',
    });
    const asked = { name: 'X', roles: [], password: person.password };
    expect(await make(bearer(accessToken), asked, closed)).toMatchObject({ status: 404, body: { code: 'not_offered' } });
  });

  test('is not made by a token alone, whose thief would keep it when the token is gone', async () => {
    const person = await explorers.person(open, { roles: ['administrator', 'api_user'] });
    const { accessToken } = await explorers.token(open, person.id, {
      scopes: ['account'],
      resource: 'http://localhost:4000/open/account',
    });
    const asked = { name: 'Nightly export', roles: ['api_user'] };
    expect(await make(bearer(accessToken), asked)).toMatchObject({ status: 400, body: { errors: [{ path: 'password' }] } });
    for (const password of ['wrong', administrator.password])
      expect(await make(bearer(accessToken), { ...asked, password })).toMatchObject({ status: 422, body: { code: 'wrong_password' } });
    expect((await make(bearer(accessToken), { ...asked, password: person.password })).status).toBe(201);
    // Nor is it a place to guess from: a sign-in counts the same.
    for (let nth = 0; nth < 10; nth += 1) await make(bearer(accessToken), { ...asked, password: 'wrong' });
    const told = await make(bearer(accessToken), { ...asked, password: person.password });
    expect(told).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(told.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('is refused by its schema after the caller is known, and names what is wrong', async () => {
    expect((await make({}, { nonsense: true })).status).toBe(401);
    const { password } = administrator;
    expect(await make(basic(administrator), { roles: [], password })).toMatchObject({ status: 400, body: { errors: [{ path: 'name' }] } });
  });

  test('is made by an operator, too', async () => {
    const operator = await world.operator('operator');
    const account = { email: 'robot@example.com', name: 'Robot', password: 'a long password', kind: 'integration' };
    const { body, status } = await world.call(operator, 'POST', '/open/manage/accounts', account);
    expect(status).toBe(201);
    expect((await world.call(operator, 'GET', `/open/manage/accounts/${String(body['accountId'])}`)).body).toMatchObject({
      kind: 'integration',
    });
    const refused = await world.call(operator, 'POST', '/open/manage/accounts', { ...account, kind: 'robot' });
    expect(refused.status).toBe(400);
  });
});

describe('an account is known', () => {
  const own = 'http://localhost:4000/open/account';

  test('by an access token for its own settings, and by no other token', async () => {
    const good = await explorers.token(open, administrator.id, { scopes: ['account'], resource: own });
    expect((await make(bearer(good.accessToken))).status).toBe(201);
    const challenge =
      /^Bearer realm="open", error="invalid_token", .*scope="account", resource_metadata="[^"]+\/open\/account", Basic realm="open", charset="UTF-8"$/;
    const elsewhere = await explorers.token(open, administrator.id, { scopes: ['account'], resource: resourceOf('open') });
    const developer = await explorers.token(open, administrator.id, {
      scopes: ['account'],
      resource: 'http://localhost:4000/open/developer',
    });
    for (const token of [good.refreshToken ?? '', elsewhere.accessToken, developer.accessToken, 'nonsense']) {
      const told = await make(bearer(token));
      expect([told.status, told.body['code']]).toEqual([401, 'invalid_token']);
      expect(told.headers['www-authenticate']).toMatch(challenge);
    }
  });

  test('with the scope, or is told which one it lacks', async () => {
    const { accessToken } = await explorers.token(open, administrator.id, { scopes: ['read'], resource: own });
    const told = await make(bearer(accessToken));
    expect(told).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(told.headers['www-authenticate']).toMatch(/^Bearer .*error="insufficient_scope".*scope="account"/);
  });

  test('not by a token of another platform', async () => {
    const person = await explorers.person(closed, { roles: ['administrator'] });
    const { accessToken } = await explorers.token(closed, person.id, { scopes: ['account'], resource: own });
    expect((await make(bearer(accessToken))).status).toBe(401);
  });

  test('by nothing where nothing is shown: both ways are named, Bearer first, without an error', async () => {
    const told = await make({});
    expect(told).toMatchObject({ status: 401, body: { code: 'credentials_required' } });
    expect(told.headers['www-authenticate']).toMatch(
      /^Bearer realm="open", scope="account", resource_metadata="[^"]+", Basic realm="open"/,
    );
    expect(told.headers['content-type']).toContain('application/problem+json');
  });

  test('not by HTTP Basic where the platform does not take it', async () => {
    const person = await explorers.person(closed, { roles: ['administrator'] });
    const told = await make(basic(person), { name: 'X', roles: [] }, closed);
    expect(told.status).toBe(401);
    expect(told.headers['www-authenticate']).not.toContain('Basic');
    expect(await explorers.attempts(closed)).toEqual([]);
  });

  test('by HTTP Basic with a warning of its end, counted like every other use', async () => {
    const person = await explorers.person(open, { roles: ['administrator'] });
    const { headers } = await make(basic(person), { name: 'X', roles: [], password: person.password });
    expect(headers).toMatchObject({ warning: expect.stringMatching(/^299 - ".*OAuth 2.*"$/), sunset: expect.stringContaining('GMT') });
    expect(headers['ratelimit']).toMatch(/^"exploration";r=999;t=\d+$/);
    const { rows } = await world.deps.pool.query<{ requests: number }>('select requests from basic_use where account = $1', [person.id]);
    expect(rows).toEqual([{ requests: 1 }]);
  });

  test('not by a wrong password, and after ten of them not for a while', async () => {
    const person = await explorers.person(open, { roles: ['administrator'] });
    const wrong = basic({ ...person, password: 'wrong' });
    for (let nth = 0; nth < 10; nth += 1) expect(await make(wrong)).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
    const told = await make(basic(person));
    expect(told).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(Number(told.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('not by HTTP Basic with a second factor; the way out is named', async () => {
    const person = await explorers.person(open, { roles: ['administrator'] });
    await explorers.happen(open, person.id, { type: 'account.mfa_enrolled', data: { factor: 'totp', credentialId: crypto.randomUUID() } });
    expect(await make(basic(person))).toMatchObject({
      status: 403,
      body: {
        code: 'second_factor_enabled',
        detail: expect.stringContaining('/open/security'),
        documentation: 'https://docs.example/oauth',
      },
    });
  });

  test('not when another origin sends the request, whatever it shows', async () => {
    const { accessToken } = await explorers.token(open, administrator.id, { scopes: ['account'], resource: own });
    for (const headers of [basic(administrator), bearer(accessToken)]) {
      for (const origin of ['https://evil.example', 'null'])
        expect(await make({ ...headers, origin })).toMatchObject({ status: 403, body: { code: 'foreign_origin' } });
      expect((await make({ ...headers, origin: 'http://localhost:4000' })).status).toBe(201);
    }
  });

  test('not by what a browser remembers, when a page of another origin has it sent: nothing of the day is used up', async () => {
    const person = await explorers.person(open);
    const read = async (headers: Readonly<Record<string, string>>) =>
      world.app.inject({ url: '/open/account/security', headers: { ...basic(person), ...headers } });
    const picture = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
    for (let n = 0; n < 3; n += 1) {
      const refused = await read(picture);
      expect([refused.statusCode, refused.json().code]).toEqual([403, 'foreign_origin']);
    }
    const typed = await read({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
    expect([typed.statusCode, typed.headers['ratelimit']]).toEqual([200, expect.stringContaining(';r=999;')]);
  });
});
