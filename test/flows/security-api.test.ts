import { changeAccount } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { answerOf } from '../support/consent.ts';
import { appCode, wrongCode } from '../support/second-factor.ts';
import { openSecurityWorld, platform, type SecurityWorld } from '../support/security-world.ts';
import { by, type TestAccount } from '../support/workbench.ts';

type Fields = Readonly<Record<string, string>>;

let world: SecurityWorld;

beforeAll(async () => {
  world = await openSecurityWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

describe('the security API', () => {
  const tokenOf = async (account: TestAccount, change: Fields = {}): Promise<string> => {
    const resource = `${world.deployment.publicUrl}/${platform}/account`;
    const { visitor, page } = await world.flow.atConsent({ scope: 'openid account', resource, ...change }, account);
    const code = answerOf(await world.flow.decide(visitor, page, 'allow'))['code'];
    return String((await world.flow.redeem(code)).body['access_token']);
  };
  const call = async (token: string | null, method: string, path: string, body?: object) => {
    const response = await fetch(world.flow.at(`/account${path}`), {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };

  test('sets a second factor up and switches it off', async () => {
    const account = await world.newAccount();
    const token = await tokenOf(account);
    expect(await call(token, 'GET', '/security')).toEqual({
      status: 200,
      body: { mfa: 'optional', factors: [], recoveryCodesLeft: 0 },
    });
    // A token alone sets nothing up: its thief would lock the owner out.
    expect(await call(token, 'POST', '/mfa/totp', {})).toMatchObject({ status: 400, body: { errors: [{ path: 'password' }] } });
    expect(await call(token, 'POST', '/mfa/totp', { password: 'wrong' })).toMatchObject({ status: 422, body: { code: 'wrong_password' } });
    const { password } = account;
    const begun = await call(token, 'POST', '/mfa/totp', { password });
    expect(begun.body).toEqual({
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      otpauthUri: expect.any(String),
      enrolment: expect.any(String),
    });
    const { secret, enrolment } = begun.body as { readonly secret: string; readonly enrolment: string };
    expect(await call(token, 'POST', '/mfa/totp/confirm', { enrolment, code: wrongCode(secret) })).toMatchObject({
      status: 422,
      body: { code: 'wrong_code' },
    });
    const confirmed = await call(token, 'POST', '/mfa/totp/confirm', { enrolment, code: appCode(secret) });
    const codes = confirmed.body['recoveryCodes'] as readonly string[];
    expect([confirmed.status, codes.length]).toEqual([200, 10]);
    expect((await call(token, 'GET', '/security')).body).toEqual({ mfa: 'optional', factors: ['totp'], recoveryCodesLeft: 10 });
    expect(await call(token, 'POST', '/mfa/totp', { password })).toMatchObject({ status: 409, body: { code: 'already_enrolled' } });

    const off = (change: object) => call(token, 'DELETE', '/mfa/totp', { password: account.password, code: codes[0], ...change });
    expect(await off({ password: 'wrong' })).toMatchObject({ status: 422, body: { code: 'wrong_password' } });
    expect(await off({ code: wrongCode(secret) })).toMatchObject({ status: 422, body: { code: 'wrong_code' } });
    expect(await off({})).toEqual({ status: 200, body: { mfa: 'optional', factors: [], recoveryCodesLeft: 0 } });
    expect(await off({})).toMatchObject({ status: 409, body: { code: 'no_second_factor' } });
  });

  test('changes the password of an account with a second factor for both alone', async () => {
    const account = await world.newAccount();
    const token = await tokenOf(account);
    const { secret } = await world.enrol(account);
    const change = (body: object) =>
      call(token, 'PUT', '/password', { password: account.password, newPassword: 'a whole new password', ...body });
    expect(await change({})).toMatchObject({ status: 422, body: { code: 'wrong_code' } });
    expect(await change({ code: wrongCode(secret) })).toMatchObject({ status: 422, body: { code: 'wrong_code' } });
    const code = appCode(secret, 1);
    expect(await change({ code })).toMatchObject({ status: 200 });
    const replayed = await change({ password: 'a whole new password', newPassword: 'another new password', code });
    expect(replayed).toMatchObject({ status: 422, body: { code: 'code_used' } });
  });

  test('makes an integration account for both alone, too, and the code is spent', async () => {
    const account = await world.newAccount();
    const command = { type: 'assignRoles', roles: ['administrator'] } as const;
    await changeAccount(world.bench.context, by, { platform, account: account.id, command });
    const token = await tokenOf(account);
    const { secret } = await world.enrol(account);
    const make = (body: object) =>
      call(token, 'POST', '/integration-accounts', {
        name: 'Nightly export',
        roles: ['administrator'],
        password: account.password,
        ...body,
      });
    expect(await make({})).toMatchObject({ status: 422, body: { code: 'wrong_code' } });
    expect(await make({ code: wrongCode(secret) })).toMatchObject({ status: 422, body: { code: 'wrong_code' } });
    const code = appCode(secret, 1);
    expect(await make({ code, password: 'wrong' })).toMatchObject({ status: 422, body: { code: 'wrong_password' } });
    expect((await call(token, 'GET', '/integration-accounts')).body).toMatchObject({ accounts: [] });
    expect((await make({ code })).status).toBe(201);
    expect(await make({ code })).toMatchObject({ status: 422, body: { code: 'code_used' } });
    expect((await call(token, 'GET', '/integration-accounts')).body).toMatchObject({ accounts: [{ roles: ['administrator'] }] });
  });

  test('hands out all data of an account for both alone, and the code is spent', async () => {
    const account = await world.newAccount();
    const token = await tokenOf(account);
    const { secret } = await world.enrol(account);
    const take = async (body: object) => {
      const response = await fetch(world.flow.at('/account/export'), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ password: account.password, ...body }),
      });
      return { status: response.status, text: await response.text() };
    };
    for (const code of [undefined, wrongCode(secret)])
      expect(await take({ code })).toMatchObject({ status: 422, text: expect.stringContaining('wrong_code') });
    const code = appCode(secret, 1);
    const { status, text } = await take({ code });
    expect([status, JSON.parse(text.split('\n')[0] ?? '')], text).toEqual([
      200,
      expect.objectContaining({ part: 'account', accountId: account.id, factors: ['totp'] }),
    ]);
    expect(text).not.toContain(secret);
    expect(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ part: 'end' });
    expect(await take({ code })).toMatchObject({ status: 422, text: expect.stringContaining('code_used') });
  });

  test('ends the sign-ins that were made before a second factor was set up by it', async () => {
    const account = await world.newAccount();
    const { visitor, page } = await world.flow.atConsent({}, account);
    const token = await tokenOf(account);
    const { secret, enrolment } = (await call(token, 'POST', '/mfa/totp', { password: account.password })).body;
    expect((await visitor.open(world.flow.at('/security'))).text).toContain(account.email);
    expect((await call(token, 'POST', '/mfa/totp/confirm', { enrolment, code: appCode(String(secret)) })).status).toBe(200);
    expect((await visitor.open(world.flow.at('/security'))).text).not.toContain(account.email);
    expect((await world.flow.decide(visitor, page, 'allow')).status).toBe(400);
    // What was granted stays.
    expect((await call(token, 'GET', '/security')).body).toMatchObject({ factors: ['totp'] });
  });

  test('takes no enrolment of another account', async () => {
    const [account, thief] = [await world.newAccount(), await world.newAccount()];
    const { secret, enrolment } = (await call(await tokenOf(account), 'POST', '/mfa/totp', { password: account.password })).body;
    const stolen = await call(await tokenOf(thief), 'POST', '/mfa/totp/confirm', { enrolment, code: appCode(String(secret)) });
    expect(stolen).toMatchObject({ status: 409, body: { code: 'changed_meanwhile' } });
  });

  test('is not there for strangers, nor for a token of another scope', async () => {
    expect((await call(null, 'GET', '/security')).status).toBe(401);
    const resource = `${world.deployment.publicUrl}/${platform}/api`;
    const token = await tokenOf(world.member, { scope: 'openid read', resource });
    for (const [method, path] of [
      ['GET', '/security'],
      ['POST', '/mfa/totp'],
      ['DELETE', '/mfa/totp'],
    ] as const)
      expect((await call(token, method, path, method === 'GET' ? undefined : {})).status).toBe(401);
  });

  test('refuses to switch a required factor off, and names the way out', async () => {
    const account = await world.newAccount();
    const token = await tokenOf(account);
    const { recoveryCodes } = await world.enrol(account);
    await world.configure('required');
    try {
      const refused = await call(token, 'DELETE', '/mfa/totp', { password: account.password, code: recoveryCodes[0] ?? '' });
      expect(refused).toMatchObject({
        status: 409,
        body: { code: 'required_by_platform', detail: expect.stringContaining('integration account') },
      });
    } finally {
      await world.configure('optional');
    }
    expect((await call(token, 'GET', '/security')).body).toMatchObject({ factors: ['totp'], recoveryCodesLeft: 10 });
  });
});
