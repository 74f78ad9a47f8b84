import { tokenExchangeGrant } from '@grantlog/domain';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createProofKey, type ProofKey } from '../../../../test/support/proof-key.ts';
import type { Answer } from '../sessions/support/devices.ts';
import { accessTokenType, type Delegates, mail, openDelegates, type Party } from './support/delegates.ts';

let delegates: Delegates;
beforeAll(async () => {
  delegates = await openDelegates(inject('databaseUrl'));
});
afterAll(() => delegates.world.close());

const bound = async (jkt: string) => delegates.allow({ to: delegates.assistant, account: await delegates.person(), issue: { jkt } });

const exchangeWith = async (key: ProofKey | null, party: Party, token: string): Promise<Answer> => {
  const path = `/${delegates.platform}/oauth/token`;
  const response = await delegates.world.app.inject({
    method: 'POST',
    url: path,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(party.secret === null ? {} : { authorization: `Basic ${btoa(`${party.clientId}:${party.secret}`)}` }),
      ...(key === null ? {} : { dpop: key.proof({ method: 'POST', url: `http://localhost:4000${path}` }) }),
    },
    payload: String(
      new URLSearchParams({
        grant_type: tokenExchangeGrant,
        subject_token: token,
        subject_token_type: accessTokenType,
        resource: mail,
        ...(party.secret === null ? { client_id: party.clientId } : {}),
      }),
    ),
  });
  return { status: response.statusCode, headers: response.headers, body: response.json() };
};

test('a bound token is exchanged by its client with the key alone, and what comes of it is bound to that key', async () => {
  const [key, other] = [createProofKey(), createProofKey()];
  const { token } = await bound(key.jkt);
  for (const shown of [null, other])
    expect(await exchangeWith(shown, delegates.assistant, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  const answer = await exchangeWith(key, delegates.assistant, token);
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  expect(await delegates.introspect(delegates.mailServer, String(answer.body['access_token']))).toMatchObject({ cnf: { jkt: key.jkt } });
});

test('a bound token of a public client leads to another resource of its grant: its key was shown, and no server has that', async () => {
  const key = createProofKey();
  const open = await delegates.client({ kind: 'public' });
  const { token } = await delegates.allow({ to: open, account: await delegates.person(), issue: { jkt: key.jkt } });
  expect(await exchangeWith(null, open, token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  const answer = await exchangeWith(key, open, token);
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  expect(await delegates.introspect(delegates.mailServer, String(answer.body['access_token']))).toMatchObject({ aud: mail });
});

test('a public client gets nowhere by a key that it shows beside a token which is bound to none', async () => {
  const open = await delegates.client({ kind: 'public' });
  const { token } = await delegates.allow({ to: open, account: await delegates.person() });
  expect(await exchangeWith(createProofKey(), open, token)).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
});

test('the server that a bound token was shown to exchanges it without the holder’s key, and binds the result to its own', async () => {
  const [holder, server] = [createProofKey(), createProofKey()];
  const { token } = await bound(holder.jkt);
  expect(await exchangeWith(null, delegates.calendarServer, token)).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
  const answer = await exchangeWith(server, delegates.calendarServer, token);
  expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
  expect(await delegates.introspect(delegates.mailServer, String(answer.body['access_token']))).toMatchObject({ cnf: { jkt: server.jkt } });
});

test('a token that is bound to nothing may be exchanged for one that is bound', async () => {
  const key = createProofKey();
  const { token } = await delegates.allow({ to: delegates.assistant, account: await delegates.person() });
  expect(await exchangeWith(key, delegates.assistant, token)).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
});
