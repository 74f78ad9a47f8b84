import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Answer } from '../sessions/support/devices.ts';
import { accessTokenType, calendar, type Delegates, files, mail, openDelegates } from './support/delegates.ts';

let delegates: Delegates;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
});
afterAll(() => delegates.world.close());

const allowed = async (of: Partial<Parameters<Delegates['allow']>[0]> = {}) =>
  delegates.allow({ to: delegates.assistant, account: await delegates.person(), ...of });

const refusedWith = (answer: Answer, error: string, words: RegExp): void => {
  expect(answer).toMatchObject({ status: 400, headers: { 'cache-control': 'no-store' }, body: { error } });
  expect(answer.body['error_description']).toMatch(words);
  expect(answer.body).not.toHaveProperty('access_token');
};
const notTheirs = /^subject_token is no live access token that was issued to this client/;

describe('a subject token is refused', () => {
  test('to anybody but its client and the servers of its resource', async () => {
    const { outsider, mailServer, filesServer } = delegates;
    const { token } = await allowed();
    for (const party of [outsider, mailServer, filesServer])
      refusedWith(await delegates.exchange(party, token), 'invalid_request', notTheirs);
  });

  test('to a public client, though it says that it serves the resource', async () => {
    const { token } = await allowed();
    const open = await delegates.client({ kind: 'public', serves: [calendar] });
    refusedWith(await delegates.exchange(open, token), 'invalid_request', notTheirs);
  });

  test('when it is a refresh token, made up, expired, or of another platform', async () => {
    const { assistant, calendarServer } = delegates;
    const { token, refreshToken } = await allowed();
    const elsewhere = await delegates.configure('elsewhere');
    const foreign = await delegates.allow({ to: assistant, account: await delegates.person(elsewhere), at: elsewhere });
    const over = await allowed({ seconds: -5 });
    const altered = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    for (const shown of [refreshToken, foreign.token, over.token, altered, 'nonsense', 'a.b.c'])
      refusedWith(await delegates.exchange(calendarServer, shown), 'invalid_request', notTheirs);
    refusedWith(await delegates.exchange(assistant, refreshToken), 'invalid_request', notTheirs);
  });

  test('on another platform than its own, whoever shows it there', async () => {
    const { token } = await allowed();
    const other = await delegates.configure('other');
    const namesake = await delegates.client({ platform: other, serves: [calendar] });
    refusedWith(await delegates.exchange(namesake, token, {}, other), 'invalid_request', notTheirs);
  });

  test('without a person behind it', async () => {
    const own = await delegates.own(delegates.outsider);
    refusedWith(await delegates.exchange(delegates.outsider, own), 'invalid_request', /no person behind it/);
  });

  test('under a type that it does not have', async () => {
    const { token } = await allowed();
    const idToken = { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' };
    refusedWith(await delegates.exchange(delegates.calendarServer, token, idToken), 'invalid_request', /^subject_token_type must be/);
    const jwt = { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' };
    refusedWith(await delegates.exchange(delegates.calendarServer, token, jwt), 'invalid_request', notTheirs);
  });
});

describe('an exchange widens nothing:', () => {
  test('no scope that the token lacks, though its grant has it', async () => {
    const { token } = await allowed({ issue: { scopes: [1] } });
    refusedWith(await delegates.exchange(delegates.calendarServer, token, { scope: 'read write' }), 'invalid_scope', /^write is not among/);
  });

  test('but a scope that the token implies may be asked for by itself', async () => {
    const { token } = await allowed({ scopes: ['write'] });
    expect((await delegates.exchange(delegates.calendarServer, token, { scope: 'read' })).body).toMatchObject({ scope: 'read' });
  });

  test('no scope that the actor itself may not have', async () => {
    const { token } = await allowed();
    const reader = await delegates.client({ serves: [calendar], scopes: ['read'] });
    refusedWith(await delegates.exchange(reader, token, { scope: 'write' }), 'invalid_scope', /^write cannot be passed on/);
    expect((await delegates.exchange(reader, token)).body).toMatchObject({ scope: 'read' });
  });

  test('nothing that opens the person’s own settings, unless to the client they allowed it to', async () => {
    const { assistant, calendarServer } = delegates;
    const settings = `http://localhost:4000/${delegates.platform}/account`;
    const { token } = await allowed({ scopes: ['read', 'account'], resources: [calendar, settings] });
    refusedWith(
      await delegates.exchange(calendarServer, token, { scope: 'account', resource: settings }),
      'invalid_scope',
      /^account cannot/,
    );
    expect((await delegates.exchange(calendarServer, token)).body).toMatchObject({ scope: 'read' });
    expect((await delegates.exchange(assistant, token, { resource: settings })).body).toMatchObject({ scope: 'read account' });
  });

  test('no life beyond that of its source: nothing stays connected by it', async () => {
    const { token } = await allowed({ scopes: ['read', 'offline_access'] });
    refusedWith(
      await delegates.exchange(delegates.assistant, token, { scope: 'offline_access' }),
      'invalid_scope',
      /^offline_access cannot/,
    );
    const kept = (await delegates.exchange(delegates.assistant, token)).body;
    expect(kept).toMatchObject({ scope: 'read' });
    expect(kept).not.toHaveProperty('refresh_token');
  });

  test('no resource outside the grant, by resource or by audience', async () => {
    const { token } = await allowed();
    for (const target of [{ resource: files }, { audience: files }, { resource: 'https://unknown.example' }])
      refusedWith(await delegates.exchange(delegates.calendarServer, token, target), 'invalid_target', /grant of the subject_token/);
  });

  test('no resource but its own to who shows nothing but a token: whoever got it could say that they are its public client', async () => {
    const settings = `http://localhost:4000/${delegates.platform}/account`;
    const open = await delegates.client({ kind: 'public' });
    const { token } = await allowed({ to: open, scopes: ['read', 'account'], resources: [calendar, mail, settings] });
    for (const target of [{ resource: mail }, { audience: mail }, { resource: settings }])
      refusedWith(await delegates.exchange(open, token, target), 'invalid_target', /only for the resource of its token/);
    expect((await delegates.exchange(open, token, { resource: calendar, scope: 'read' })).body).toMatchObject({ scope: 'read' });
    expect((await delegates.exchange(open, token, { scope: 'read' })).body).toMatchObject({ scope: 'read' });
  });

  test('no resource that an exchange before has left out', async () => {
    const { token } = await allowed({ resources: [calendar, mail, files] });
    const toMail = await delegates.passOn(delegates.calendarServer, token, { resource: mail });
    refusedWith(
      await delegates.exchange(delegates.mailServer, toMail, { resource: files }),
      'invalid_target',
      /grant of the subject_token/,
    );
    refusedWith(
      await delegates.exchange(delegates.mailServer, toMail, { resource: calendar }),
      'invalid_target',
      /grant of the subject_token/,
    );
  });

  test('no more than eight actors in a row', async () => {
    let { token } = await allowed();
    for (let depth = 0; depth < 8; depth += 1) token = await delegates.passOn(delegates.assistant, token);
    refusedWith(await delegates.exchange(delegates.assistant, token), 'invalid_request', /No more than 8 clients/);
  });
});

describe('an actor token is refused', () => {
  const actor = (actorToken: string) => ({ actor_token: actorToken, actor_token_type: accessTokenType });

  test('when it is another client’s, a person’s, or dead', async () => {
    const { calendarServer, outsider } = delegates;
    const { token } = await allowed();
    const persons = await delegates.allow({ to: calendarServer, account: await delegates.person() });
    for (const shown of [await delegates.own(outsider), persons.token, token, 'nonsense'])
      refusedWith(
        await delegates.exchange(calendarServer, token, actor(shown)),
        'invalid_request',
        /^actor_token must be a live access token/,
      );
  });

  test('without its type, or a type without it', async () => {
    const { calendarServer } = delegates;
    const { token } = await allowed();
    refusedWith(await delegates.exchange(calendarServer, token, { actor_token: 'x' }), 'invalid_request', /actor_token_type is required/);
    refusedWith(
      await delegates.exchange(calendarServer, token, { actor_token_type: accessTokenType }),
      'invalid_request',
      /without actor_token/,
    );
  });
});

describe('the grant type itself', () => {
  test('gives access tokens and nothing else', async () => {
    const { token } = await allowed();
    const asked = { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' };
    refusedWith(await delegates.exchange(delegates.calendarServer, token, asked), 'invalid_request', /^requested_token_type must be/);
  });

  test('is refused to a client that is not registered for it, and on a platform without it', async () => {
    const { token } = await allowed();
    const unregistered = await delegates.client({ grantTypes: ['client_credentials'], serves: [calendar] });
    refusedWith(await delegates.exchange(unregistered, token), 'unauthorized_client', /not registered for this grant type/);
    const plain = await delegates.configure('plain', { grantTypes: ['client_credentials', 'authorization_code', 'refresh_token'] });
    const there = await delegates.client({ platform: plain, grantTypes: ['client_credentials'] });
    refusedWith(await delegates.exchange(there, token, {}, plain), 'unsupported_grant_type', /^grant_type must be one of/);
  });
});
