import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post, type Tokens } from '../support/agent.ts';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type TestClient, type Workbench } from '../support/workbench.ts';

const platform = 'tokens';

let deployment: Deployment;
let bench: Workbench;
let flow: ConsentFlow;
let client: TestClient;
let other: TestClient;
let appClient: TestClient;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  const { resources } = await bench.configure(platform);
  const api = resources[0]?.uri ?? '';
  await bench.configure(platform, {
    resources: [
      { uri: api, name: 'Things', scopes: ['read', 'write'] },
      { uri: 'https://bare.example/', name: 'Bare', scopes: ['read'] },
    ],
  });
  await bench.configure('brief', { lifetimes: { codeSeconds: 10 }, pkce: 'public_clients' });
  const account = await bench.account(platform);
  client = await bench.client(platform);
  other = await bench.client(platform);
  appClient = await bench.client(platform, { kind: 'public' });
  flow = createConsentFlow({ deployment, platform, client, account });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

type Fields = Readonly<Record<string, string>>;
const connect = async (change: Fields = {}): Promise<Tokens> => {
  const answer = await flow.redeem(await flow.code({ scope: 'openid read write', ...change }));
  expect(answer.status).toBe(200);
  return answer.body as unknown as Tokens;
};
const refusedWith = (answer: Answer, error: string, status = 400): void => {
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body: { error, error_description: expect.any(String) } });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
};

describe('a code is consumed by nothing but its good redemption', () => {
  const verifier = (length: number): Fields => ({ code_verifier: 'a'.repeat(length) });
  const rows: readonly (readonly [string, string, () => Fields, (() => TestClient)?])[] = [
    ['TK-08: no verifier', 'invalid_grant', () => ({ code_verifier: '' })],
    ['TK-10: a wrong verifier', 'invalid_grant', () => verifier(43)],
    ['TK-10: a verifier of 42', 'invalid_request', () => verifier(42)],
    ['TK-10: a verifier of 129', 'invalid_request', () => verifier(129)],
    ['TK-11: another client', 'invalid_grant', () => ({}), () => other],
    ['TK-15: no redirect_uri', 'invalid_request', () => ({ redirect_uri: '' })],
    ['TK-15: a redirect_uri with a slash more', 'invalid_grant', () => ({ redirect_uri: `${client.redirect_uri}/` })],
    ['TK-19: a scope not granted', 'invalid_scope', () => ({ scope: 'openid write' })],
    ['TK-19: a scope that is none', 'invalid_scope', () => ({ scope: '"' })],
    ['TK-25: a resource that is none', 'invalid_target', () => ({ resource: 'nonsense' })],
    ['TK-25: a resource with a fragment', 'invalid_target', () => ({ resource: `${deployment.publicUrl}/${platform}/api#x` })],
    ['TK-26: a resource of the platform that was not granted', 'invalid_target', () => ({ resource: 'https://bare.example/' })],
    ['TK-17: grant_type=password', 'unsupported_grant_type', () => ({ grant_type: 'password' })],
    ['TK-17: an implicit grant', 'unsupported_grant_type', () => ({ grant_type: 'implicit' })],
    ['TK-17: no grant_type', 'invalid_request', () => ({ grant_type: '' })],
    ['the code as a refresh token', 'invalid_request', () => ({ grant_type: 'refresh_token' })],
    ['a value with a NUL', 'invalid_request', () => ({ redirect_uri: 'https://client.example/cb\0' })],
  ];
  test.each(rows.map(([what, error, change, by = () => client]) => [what, error, change, by] as const))(
    '%s is %s, and the code still works',
    async (_what, error, change, by) => {
      const code = await flow.code({ resource: `${deployment.publicUrl}/${platform}/api` });
      refusedWith(await flow.redeem(code, change(), { authorization: basic(by()) }), error);
      expect((await flow.redeem(code)).status).toBe(200);
    },
  );

  test('any character of it changed makes it invalid_grant', async () => {
    const code = await flow.code();
    for (let at = 0; at < code.length; at += 1) {
      const changed = `${code.slice(0, at)}${code[at] === 'A' ? 'B' : 'A'}${code.slice(at + 1)}`;
      expect((await flow.redeem(changed)).body).toMatchObject({ error: 'invalid_grant' });
    }
    expect((await flow.redeem(code)).status).toBe(200);
  });

  test('TK-13: its second redemption is invalid_grant and ends the tokens of the first', async () => {
    const code = await flow.code({ scope: 'openid read' });
    const tokens = (await flow.redeem(code)).body as unknown as Tokens;
    // Whoever lacks the verifier proves nothing, and ends nothing.
    refusedWith(await flow.redeem(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant');
    refusedWith(await flow.redeem(code, {}, { authorization: basic(other) }), 'invalid_grant');
    expect((await flow.introspect(tokens.access_token)).body['active']).toBe(true);
    refusedWith(await flow.redeem(code), 'invalid_grant');
    expect((await flow.introspect(tokens.access_token)).body).toEqual({ active: false });
    refusedWith(await flow.refresh(tokens.refresh_token), 'invalid_grant');
  });

  test('TK-09, TK-12, TK-16: its age, its client and a verifier without challenge count one by one', async () => {
    const [account, mine, theirs] = [await bench.account('brief'), await bench.client('brief'), await bench.client('brief')];
    const brief = createConsentFlow({ deployment, platform: 'brief', client: mine, account });
    const [expiring, fresh] = [await brief.code(), await brief.code({ code_challenge: '', code_challenge_method: '' })];
    refusedWith(await brief.redeem(fresh), 'invalid_grant');
    refusedWith(await brief.redeem(fresh, { code_verifier: '' }, { authorization: basic(theirs) }), 'invalid_grant');
    expect((await brief.redeem(fresh, { code_verifier: '' })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    refusedWith(await brief.redeem(expiring), 'invalid_grant');
    expect((await brief.redeem(await brief.code())).status).toBe(200);
  });
});

describe('refreshing', () => {
  test('TK-19, TK-20: narrows the access token, never widens it, and keeps what the grant allows', async () => {
    const tokens = await connect();
    refusedWith(await flow.refresh(tokens.refresh_token, { scope: 'openid read write email' }), 'invalid_scope');
    const narrow = await flow.refresh(tokens.refresh_token, { scope: 'read' });
    expect(narrow).toMatchObject({ status: 200, body: { scope: 'read' } });
    expect((await flow.introspect(String(narrow.body['access_token']))).body['scope']).toBe('read');
    expect((await flow.refresh(String(narrow.body['refresh_token']))).body['scope']).toBe('openid read write');
  });

  test('TK-21: by another client is refused and ends nothing', async () => {
    const tokens = await connect();
    refusedWith(await flow.refresh(tokens.refresh_token, {}, { authorization: basic(other) }), 'invalid_grant');
    refusedWith(await flow.refresh(tokens.refresh_token, { client_id: appClient.client_id }, {}), 'invalid_grant');
    expect((await flow.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test('TK-22, TK-23: gives a lost answer again, and ends the grant for anything older', async () => {
    const first = await connect();
    const second = (await flow.refresh(first.refresh_token)).body;
    expect((await flow.refresh(first.refresh_token)).body).toMatchObject({
      access_token: second['access_token'],
      refresh_token: second['refresh_token'],
    });
    refusedWith(await flow.refresh(first.refresh_token, { scope: 'read' }), 'invalid_grant');
    const third = (await flow.refresh(String(second['refresh_token']))).body;
    refusedWith(await flow.refresh(first.refresh_token), 'invalid_grant');
    refusedWith(await flow.refresh(String(third['refresh_token'])), 'invalid_grant');
  });

  test('takes no access token, no code and no changed character for a refresh token', async () => {
    const tokens = await connect();
    for (const wrong of [
      tokens.access_token,
      await flow.code(),
      tokens.id_token ?? '',
      'x',
      `${tokens.refresh_token} `,
      tokens.refresh_token.slice(0, -1),
    ])
      refusedWith(await flow.refresh(wrong), 'invalid_grant');
    expect((await flow.refresh(tokens.refresh_token)).status).toBe(200);
  });
});

describe('resources', () => {
  test('TK-27: an access token is for the one resource asked for, however its bare origin is spelled', async () => {
    for (const spelling of ['https://bare.example', 'https://bare.example/', 'HTTPS://BARE.EXAMPLE']) {
      const answer = await flow.redeem(await flow.code({ resource: spelling }), { resource: spelling });
      expect(answer.status).toBe(200);
      expect((await flow.introspect(String(answer.body['access_token']))).body['aud']).toBe('https://bare.example/');
      const again = await flow.refresh(String(answer.body['refresh_token']), { resource: spelling });
      expect((await flow.introspect(String(again.body['access_token']))).body['aud']).toBe('https://bare.example/');
    }
  });

  test('TK-28: every token response says how long, for what, and that it must not be stored', async () => {
    const answer = await flow.redeem(await flow.code());
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: expect.any(Number), scope: 'openid read' });
    expect(Object.keys(answer.body).sort()).toEqual(['access_token', 'expires_in', 'id_token', 'refresh_token', 'scope', 'token_type']);
  });

  test('TK-18: a grant type that the client is not registered for is unauthorized_client', async () => {
    const machine = await bench.client(platform, { grantTypes: ['client_credentials'] });
    refusedWith(await flow.redeem(await flow.code(), {}, { authorization: basic(machine) }), 'unauthorized_client');
    refusedWith(
      await post(flow.at('/oauth/token'), { grant_type: 'client_credentials', scope: 'read', client_id: appClient.client_id }),
      'unauthorized_client',
    );
  });
});
