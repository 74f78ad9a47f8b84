import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PlainSecret } from '@grantlog/crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { basic } from '../../support/agent.ts';
import { type Arlo, callback, documentedState, resourcePath, startArlo } from './support/arlo.ts';

const run = promisify(execFile);

let arlo: Arlo;

beforeAll(async () => {
  arlo = await startArlo(inject('databaseUrl'));
});
afterAll(() => arlo.stop());

type Reply = { readonly status: number; readonly headers: string; readonly body: string };

/** Runs `curl` as a developer would paste it. */
const curl = async (...rest: readonly string[]): Promise<Reply> => {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--include', ...rest]);
  const [head = '', ...body] = stdout.replaceAll('\r\n', '\n').split('\n\n');
  return { status: Number(/^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1]), headers: head, body: body.join('\n\n') };
};

/** The headers of every example in the documents. */
const accepting = ['-H', 'Accept: application/json', '-H', 'Accept-Encoding: gzip, deflate', '--compressed'];
const form = ['-H', 'Content-Type: application/x-www-form-urlencoded'];
const json = ({ body }: Reply): Readonly<Record<string, unknown>> => JSON.parse(body) as Record<string, unknown>;
/** `Basic` with Base64 of client_id:client_secret, as the documents make it by hand. */
const authorization = (): readonly string[] => [
  '-H',
  `Authorization: Basic ${Buffer.from(`${arlo.client.client_id}:${arlo.client.client_secret}`).toString('base64')}`,
];

/** The clients that the examples name: of one the id, of the other the id and the secret. */
const documentedClients = async () => {
  const common = { redirectUris: [callback], grantTypes: arlo.grantTypes };
  await arlo.bench.client('arlo', { ...common, clientId: 'MeWALA744chp8E7GEPDeElPzc8y8hNrG' });
  const secret = 'ABCDEFGH' as PlainSecret; // the document's: nobody is ever given one that short
  return { client: await arlo.bench.client('arlo', { ...common, clientId: '12345678', secret }) };
};

describe('curl, as in the examples of the documents', () => {
  test('step 1: gets a page for the person, with the query folded over several lines', async () => {
    const folded = `${arlo.at('/oauth/connect/authorize')}?client_id=${arlo.client.client_id}
    &response_type=code
    &scope=openid+profile+offline_access+read+all_claims
    &redirect_uri=${callback}
    &state=${documentedState}`;
    // A URL has no line breaks (RFC 9112 §3.2): the example is one line, printed as five, and joined as every reader joins it.
    const page = await curl(...accepting, folded.replaceAll(/\n\s+/g, ''));
    expect(page.status).toBe(200);
    expect(page.body).toContain('name="password"');
    // Given the fold as it stands, curl itself refuses.
    await expect(curl(...accepting, folded)).rejects.toMatchObject({ code: 3 });
  });

  test('step 3, refresh, validation, revocation: the bodies and headers of the documents', async () => {
    const code = await arlo.code();
    const step3 = ['--data', `grant_type=authorization_code&code=${code}&redirect_uri=${callback}`];
    const granted = await curl(...accepting, ...authorization(), ...form, ...step3, arlo.at('/oauth/connect/token'));
    expect(granted.status).toBe(200);
    expect(Object.keys(json(granted)).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type']);

    // The documents' example, with the stray `code=` taken out.
    const again = ['--data', `grant_type=refresh_token&refresh_token=${String(json(granted)['refresh_token'])}&redirect_uri=${callback}`];
    const refreshed = await curl(...accepting, ...authorization(), ...form, ...again, arlo.at('/oauth/connect/token'));
    expect(refreshed.status).toBe(200);
    const { access_token: access, refresh_token: refresh } = json(refreshed);
    expect(refresh).not.toBe(json(granted)['refresh_token']);

    const validation = `${arlo.at('/oauth/connect/accesstokenvalidation')}?token=${String(access)}`;
    expect((await curl(...accepting, validation)).status).toBe(200);

    const revoking = ['--data', `token=${String(access)}&token_type_hint=access_token`];
    expect((await curl(...accepting, ...authorization(), ...form, ...revoking, arlo.at('/oauth/connect/revocation'))).status).toBe(200);
    expect((await curl(...accepting, validation)).status).toBe(400);
  });

  test('the very bytes that are printed there, from a client with the id and the secret of the examples', async () => {
    const { client } = await documentedClients();
    expect(basic(client)).toBe('Basic MTIzNDU2Nzg6QUJDREVGR0g=');
    const header = ['-H', 'Authorization: Basic MTIzNDU2Nzg6QUJDREVGR0g='];
    const step1 =
      'client_id=MeWALA744chp8E7GEPDeElPzc8y8hNrG&response_type=code&scope=openid+profile+offline_access+read+all_claims&redirect_uri=https://myapp.example.org/oauth/arlo/callback/&state=mebnpJ49AnMwDv';
    expect((await curl(...accepting, `${arlo.at('/oauth/connect/authorize')}?${step1}`)).body).toContain('name="password"');

    // Nobody was ever given the codes and tokens that are printed: the client is known, and they are not.
    const printed = async (path: string, data: string): Promise<readonly unknown[]> => {
      const { status, body } = await curl(...accepting, ...header, ...form, '--data', data, arlo.at(path));
      return [status, body === '' ? null : (JSON.parse(body) as { readonly error: string }).error];
    };
    const redirectUri = 'https://myapp.example.org/oauth/arlo/authcallback/';
    const step3 = `grant_type=authorization_code&code=4cfc8af8a1cd99ecdcf090dafea14632&redirect_uri=${redirectUri}`;
    expect(await printed('/oauth/connect/token', step3)).toEqual([400, 'invalid_grant']);
    const refresh = `grant_type=refresh_token&code=refresh_token=2da9a39cd60848d88aa7a7c4dbf62086&redirect_uri=${redirectUri}`;
    expect(await printed('/oauth/connect/token', refresh)).toEqual([400, 'invalid_request']);
    const mended = refresh.replace('code=', '');
    expect(await printed('/oauth/connect/token', mended)).toEqual([400, 'invalid_grant']);
    const revoke = 'token=4cfc8af8a1cd99ecdcf090dafea14632&token_type_hint=access_token';
    expect(await printed('/oauth/connect/revocation', revoke)).toEqual([200, null]);
    const validation = `${arlo.at('/oauth/connect/accesstokenvalidation')}?token=649179135ca5df91b1f5ba6fc85b6df`;
    expect((await curl(...accepting, validation)).status).toBe(400);
  });

  test('the broken example of a refresh is answered with what is wrong with it', async () => {
    const { refresh_token: token } = await arlo.connect();
    const broken = ['--data', `grant_type=refresh_token&code=refresh_token=${token}&redirect_uri=${callback}`];
    const answer = await curl(...accepting, ...authorization(), ...form, ...broken, arlo.at('/oauth/connect/token'));
    expect([answer.status, json(answer)]).toEqual([400, { error: 'invalid_request', error_description: 'refresh_token is required' }]);
  });

  test('the credentials of a client also by -u, and in the body', async () => {
    const { client_id: id, client_secret: secret } = arlo.client;
    const data = async (): Promise<string> => `grant_type=authorization_code&code=${await arlo.code()}&redirect_uri=${callback}`;
    expect((await curl('-u', `${id}:${secret}`, '--data', await data(), arlo.at('/oauth/connect/token'))).status).toBe(200);
    const inBody = `${await data()}&client_id=${id}&client_secret=${secret}`;
    expect((await curl('--data', inBody, arlo.at('/oauth/connect/token'))).status).toBe(200);
  });

  test('a token of ours in the Authorization header names the person to userinfo', async () => {
    const { access_token: token } = await arlo.connect();
    const answer = await curl(...accepting, '-H', `Authorization: Bearer ${token}`, arlo.at('/oauth/userinfo'));
    expect([answer.status, json(answer)['sub']]).toEqual([200, arlo.account.id]);
    expect((await arlo.introspect(token)).body['aud']).toBe(`${arlo.issuer}${resourcePath}`);
  });
});
