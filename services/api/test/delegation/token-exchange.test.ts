import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { accessTokenType, calendar, type Delegates, files, mail, openDelegates } from './support/delegates.ts';

let delegates: Delegates;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
});
afterAll(() => delegates.world.close());

/** A part of a JWT, unverified: 0 for its header, 1 for its claims. */
const partOf = (jwt: string, index: 0 | 1): unknown =>
  JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(jwt.split('.')[index] ?? '', { alphabet: 'base64url' })));

const allowed = async (of: Partial<Parameters<Delegates['allow']>[0]> = {}) => {
  const account = await delegates.person();
  return { account, ...(await delegates.allow({ to: delegates.assistant, account, ...of })) };
};

describe('a token that is exchanged', () => {
  test('by the server it was shown to, lets that server act for the person at another resource of the grant', async () => {
    const { calendarServer, mailServer } = delegates;
    const { account, token, expiresAt } = await allowed();
    const answer = await delegates.exchange(calendarServer, token, { resource: mail, scope: 'read' });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { issued_token_type: accessTokenType, token_type: 'Bearer', scope: 'read' },
    });
    expect(Object.keys(answer.body).sort()).toEqual(['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type']);
    expect(await delegates.introspect(mailServer, String(answer.body['access_token']))).toMatchObject({
      active: true,
      sub: account,
      client_id: calendarServer.clientId,
      aud: mail,
      scope: 'read',
      exp: expiresAt,
      act: { sub: calendarServer.clientId },
    });
  });

  test('by the client that it was issued to, comes to a narrower one of its own', async () => {
    const { assistant, calendarServer } = delegates;
    const { token } = await allowed();
    const narrowed = await delegates.passOn(assistant, token, { scope: 'read' });
    expect(await delegates.introspect(calendarServer, narrowed)).toMatchObject({
      aud: calendar,
      scope: 'read',
      act: { sub: assistant.clientId },
    });
  });

  test('names every actor on the way, the present one outermost', async () => {
    const { calendarServer, mailServer, filesServer } = delegates;
    const { token } = await allowed({ resources: [calendar, mail, files] });
    const toMail = await delegates.passOnTo(calendarServer, token, [mail, files]);
    expect(await delegates.introspect(mailServer, toMail)).toMatchObject({ aud: mail });
    const toFiles = await delegates.passOn(mailServer, toMail, { resource: files });
    expect(await delegates.introspect(filesServer, toFiles)).toMatchObject({
      aud: files,
      client_id: mailServer.clientId,
      act: { sub: mailServer.clientId, act: { sub: calendarServer.clientId } },
    });
  });

  test('for a resource with JWTs comes to one that says who acts', async () => {
    const { account, token, expiresAt } = await allowed({ resources: [calendar, files] });
    const jwt = await delegates.passOn(delegates.calendarServer, token, { resource: files, scope: 'read' });
    expect(partOf(jwt, 0)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(partOf(jwt, 1)).toMatchObject({ sub: account, aud: files, exp: expiresAt, act: { sub: delegates.calendarServer.clientId } });
  });

  test('may be a JWT, by either name of its type', async () => {
    const { filesServer } = delegates;
    const { token } = await allowed({ resources: [files] });
    for (const type of [accessTokenType, 'urn:ietf:params:oauth:token-type:jwt'])
      expect(await delegates.exchange(filesServer, token, { subject_token_type: type, scope: 'read' })).toMatchObject({ status: 200 });
  });

  test('opens userinfo for the person behind it, and gives no ID token', async () => {
    const { token } = await allowed();
    const answer = await delegates.exchange(delegates.calendarServer, token, { scope: 'openid' });
    expect(answer.body).not.toHaveProperty('id_token');
    expect(await delegates.userinfo(String(answer.body['access_token']))).toBe(200);
  });

  test('may be named by audience, and goes with a token of the actor for itself', async () => {
    const { calendarServer } = delegates;
    const { token } = await allowed();
    const actor = { actor_token: await delegates.own(calendarServer), actor_token_type: accessTokenType };
    expect(await delegates.exchange(calendarServer, token, { audience: `${mail}`, ...actor })).toMatchObject({ status: 200 });
  });

  test('leaves what the person chose as it was, and cannot be given another', async () => {
    const { token } = await allowed({ context: 'safe-1' });
    const passed = await delegates.passOn(delegates.calendarServer, token, { resource: mail, scope: 'read' });
    const grantId = String((await delegates.introspect(delegates.calendarServer, passed))['grant_id']);
    const root = await delegates.world.operator('operator');
    const { body } = await delegates.world.call(root, 'GET', `/${delegates.platform}/manage/grants/${grantId}`);
    expect(body).toMatchObject({
      flow: 'token_exchange',
      context: 'safe-1',
      standing: 'good',
      delegation: { actors: [delegates.calendarServer.clientId] },
    });
  });
});

describe('what is recorded of an exchange', () => {
  test('holds no token, and its grant ends no later than any token that it stands on', async () => {
    const { token, expiresAt } = await allowed({ seconds: 30 });
    const passed = await delegates.passOn(delegates.calendarServer, token, { resource: mail });
    const recorded = await delegates.world.everything();
    for (const secret of [token, passed]) expect(recorded).not.toContain(secret);
    expect(await delegates.introspect(delegates.mailServer, passed)).toMatchObject({ exp: expiresAt });
  });
});
