import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post } from '../support/agent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { openWorkbench, type TestClient, type Workbench } from '../support/workbench.ts';

const platform = 'clients';
const oddId = 'a:b+c%d e';

let deployment: Deployment;
let bench: Workbench;
let client: TestClient;
let other: TestClient;
let odd: TestClient;
let appClient: TestClient;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  await bench.configure(platform);
  [client, other] = [await bench.client(platform), await bench.client(platform)];
  [odd, appClient] = [await bench.client(platform, { clientId: oddId }), await bench.client(platform, { kind: 'public' })];
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

type Fields = Readonly<Record<string, string>>;
const endpoints = ['/oauth/token', '/oauth/revoke', '/oauth/introspect'] as const;
/** A form that is good at every endpoint, but for who sends it. */
const form = { grant_type: 'client_credentials', scope: 'read', token: 'nonsense' };
const at = (path: string): string => `${deployment.apis[0]?.url}/${platform}${path}`;
const send = (path: string, fields: Fields | string, headers: Fields = {}): Promise<Answer> => post(at(path), fields, headers);
const refusedWith = (answer: Answer, error: string, status = 400): void => {
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body: { error, error_description: expect.any(String) } });
  expect(answer.headers.get('cache-control')).toBe('no-store');
};

describe.each(endpoints)('%s', (path) => {
  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('TK-01: answers %s with 405 and Allow', async (method) => {
    const response = await fetch(at(path), { method });
    expect(response.status).toBe(405);
    expect((response.headers.get('allow') ?? '').split(', ')).toContain('POST');
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  test.each([
    ['JSON', 'application/json', JSON.stringify(form)],
    ['broken JSON', 'application/json', '{"grant_type'],
    ['text', 'text/plain', String(new URLSearchParams(form))],
    ['XML', 'application/xml', '<a/>'],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['a malformed content type', 'application/x-www-form-urlencoded2', 'a=b'],
    ['no content type', '', 'a=b'],
  ])('TK-02: refuses a body of %s as invalid_request', async (_, type, body) => {
    const response = await fetch(at(path), {
      method: 'POST',
      body: Buffer.from(body),
      headers: { authorization: basic(client), ...(type === '' ? {} : { 'content-type': type }) },
    });
    expect([400, 415]).toContain(response.status);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
  });

  test.each(['client_secret', 'code', 'code_verifier', 'refresh_token', 'token', 'password'])(
    'TK-03: refuses %s in the query',
    async (name) => {
      const answer = await send(`${path}?${name}=hidden-value`, form, { authorization: basic(client) });
      refusedWith(answer, 'invalid_request');
      expect(JSON.stringify(answer.body)).not.toContain('hidden-value');
    },
  );

  const failing: readonly (readonly [string, () => { readonly fields?: Fields; readonly headers?: Fields }])[] = [
    ['nobody', () => ({})],
    ['TK-05: a wrong secret', () => ({ headers: { authorization: basic({ ...client, client_secret: 'wrong' }) } })],
    ['TK-05: a wrong secret in the body', () => ({ fields: { client_id: client.client_id, client_secret: 'wrong' } })],
    ['TK-06: an unknown client', () => ({ headers: { authorization: basic({ client_id: 'nobody', client_secret: 'wrong' }) } })],
    ["another client's secret", () => ({ headers: { authorization: basic({ ...client, client_secret: other.client_secret }) } })],
    ['a confidential client without secret', () => ({ fields: { client_id: client.client_id } })],
    ['a public client with a secret', () => ({ fields: { client_id: appClient.client_id, client_secret: 'any' } })],
    ['an unknown public client', () => ({ fields: { client_id: 'nobody' } })],
    ['Basic of nothing', () => ({ headers: { authorization: 'Basic' } })],
    ['Basic without a colon', () => ({ headers: { authorization: `Basic ${btoa('abc')}` } })],
    ['Basic that is no base64', () => ({ headers: { authorization: 'Basic ***' } })],
    ['Basic with a broken escape', () => ({ headers: { authorization: `Basic ${btoa('a%zz:b')}` } })],
    ['Basic with a NUL', () => ({ headers: { authorization: `Basic ${btoa('a\0b:c')}` } })],
    ['Bearer', () => ({ headers: { authorization: `Bearer ${client.client_secret}` } })],
    [
      'a secret of another case',
      () => ({ headers: { authorization: basic({ ...client, client_secret: client.client_secret.toUpperCase() }) } }),
    ],
  ];
  test.each(failing)('refuses %s as invalid_client, in the same words and with a Basic challenge', async (_, attempt) => {
    const { fields, headers } = attempt();
    const answer = await send(path, { ...form, ...fields }, headers);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 401,
      body: { error: 'invalid_client', error_description: 'Client authentication failed' },
    });
    expect(answer.headers.get('www-authenticate')).toBe(`Basic realm="${platform}"`);
  });

  test.each([
    ['TK-04: two methods at once', () => ({ client_id: client.client_id, client_secret: client.client_secret })],
    ['TK-04: a client_id that differs from the header', () => ({ client_id: other.client_id })],
  ])('refuses %s as invalid_request', async (_, fields) => {
    refusedWith(await send(path, { ...form, ...fields() }, { authorization: basic(client) }), 'invalid_request');
  });

  test.each(['client_id', 'token', 'grant_type', 'scope', 'client_secret'])(
    'RFC 6749 §3.2: refuses a repeated %s where it reads it',
    async (name) => {
      const body = `${new URLSearchParams(form)}&${name}=a&${name}=b`;
      const answer = await send(path, body, { authorization: basic(client) });
      if (path !== '/oauth/token' && (name === 'grant_type' || name === 'scope')) expect(answer.status).toBe(200);
      else if (path === '/oauth/token' && name === 'token') expect(answer.status).toBe(200);
      else refusedWith(answer, 'invalid_request');
    },
  );

  test('TK-07: takes ids and secrets encoded as RFC 6749 appendix B says', async () => {
    const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
    const encoded = btoa(`${encode(oddId)}:${encode(odd.client_secret)}`);
    expect((await send(path, form, { authorization: `Basic ${encoded}` })).status).toBe(200);
    expect((await send(path, form, { authorization: `bAsIc ${encoded}` })).status).toBe(200);
    expect((await send(path, { ...form, client_id: odd.client_id, client_secret: odd.client_secret })).status).toBe(200);
  });
});
