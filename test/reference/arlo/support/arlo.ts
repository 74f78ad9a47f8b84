import { expect } from 'vitest';
import { type Answer, basic, post, type Tokens } from '../../../support/agent.ts';
import { type Deployment, startDeployment } from '../../../support/deployment.ts';
import { createVisitor, type Visit, type Visitor } from '../../../support/visitor.ts';
import { openWorkbench, type TestAccount, type TestClient } from '../../../support/workbench.ts';

/** What a request changes of the documented one; null leaves a parameter out. */
export type Change = Readonly<Record<string, string | null>>;

export const callback = 'https://myapp.example.org/oauth/arlo/callback/';
export const documentedScope = 'openid profile offline_access read all_claims';
export const documentedState = 'mebnpJ49AnMwDv';
/** Where the example resource is, below the issuer. */
export const resourcePath = '/api/2012-02-01/auth/resources';

const changed = (base: Readonly<Record<string, string>>, change: Change): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries({ ...base, ...change }).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));

/** The platform arlo on two API processes and a worker, with a confidential client as the documents describe one, in raw HTTP. */
export const startArlo = async (databaseUrl: string) => {
  const deployment: Deployment = await startDeployment({ databaseUrl, apis: 2, workers: 1 });
  const bench = openWorkbench(deployment);
  const issuer = `${deployment.publicUrl}/arlo`;
  const grantTypes = ['authorization_code', 'refresh_token'] as const;
  const client: TestClient = await bench.client('arlo', { redirectUris: [callback], grantTypes });
  const account: TestAccount = await bench.account('arlo', { displayName: 'Kiri Person' });

  let turn = 0;
  /** Every request goes to the next process: what one has given, the other knows. */
  const node = (): string => {
    turn += 1;
    return deployment.apis[turn % deployment.apis.length]?.url ?? '';
  };
  const at = (path: string): string => `${node()}/arlo${path}`;

  /** The URL of step 1; a path other than the documented one for comparison. */
  const authorizeUrl = (change: Change = {}, path = '/oauth/connect/authorize'): string =>
    `${at(path)}?${new URLSearchParams(
      changed(
        {
          client_id: client.client_id,
          response_type: 'code',
          scope: documentedScope,
          redirect_uri: callback,
          state: documentedState,
        },
        change,
      ),
    )}`;

  const newVisitor = (): Visitor => createVisitor(new URL(deployment.publicUrl).origin);
  const consentPageOf = async (visitor: Visitor, url: string): Promise<Visit> => {
    // Asked for, whatever this person has allowed before.
    const page = await visitor.open(`${url}&prompt=consent`);
    expect(page.text).toContain('name="password"');
    const consent = await visitor.post(at('/sign-in'), { ...page.hidden, email: account.email, password: account.password });
    expect(consent.text).toContain('name="decision"');
    return consent;
  };
  const decide = async (change: Change, decision: 'allow' | 'deny'): Promise<URL> => {
    const visitor = newVisitor();
    const consent = await consentPageOf(visitor, authorizeUrl(change));
    const decided = await visitor.post(at('/consent'), { ...consent.hidden, decision });
    expect(decided.status).toBe(303);
    if (decided.location === null) throw new Error('the decision was not answered with a redirect');
    return decided.location;
  };
  const code = async (change: Change = {}): Promise<string> => (await decide(change, 'allow')).searchParams.get('code') ?? '';

  const headers = { authorization: basic(client) };
  const token = (form: Readonly<Record<string, string>>, change: Change = {}, sent: Readonly<Record<string, string>> = headers) =>
    post(at('/oauth/connect/token'), changed(form, change), sent);
  const redeem = (granted: string, change: Change = {}, sent: Readonly<Record<string, string>> = headers): Promise<Answer> =>
    token({ grant_type: 'authorization_code', code: granted, redirect_uri: callback }, change, sent);
  const refresh = (refreshToken: string, change: Change = {}, sent: Readonly<Record<string, string>> = headers): Promise<Answer> =>
    token({ grant_type: 'refresh_token', refresh_token: refreshToken, redirect_uri: callback }, change, sent);
  const connect = async (change: Change = {}): Promise<Tokens> => {
    const answer = await redeem(await code(change));
    expect(answer.status).toBe(200);
    // Every token response has an access token; the tests look for the others themselves.
    return answer.body as unknown as Tokens;
  };
  const ask = async (url: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(url, { redirect: 'manual', ...init });
    const text = await response.text();
    const isJson = text !== '' && (response.headers.get('content-type') ?? '').startsWith('application/json');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
    };
  };

  return {
    deployment,
    bench,
    issuer,
    client,
    account,
    grantTypes,
    headers,
    node,
    at,
    authorizeUrl,
    newVisitor,
    consentPageOf,
    decide,
    code,
    redeem,
    refresh,
    token,
    connect,
    ask,
    /** Where an authorization request is answered without a person: an error that is redirected, or a page of ours. */
    request: (change: Change = {}, path?: string): Promise<Visit> => newVisitor().open(authorizeUrl(change, path)),
    validate: (accessToken: string) => ask(`${at('/oauth/connect/accesstokenvalidation')}?${new URLSearchParams({ token: accessToken })}`),
    revoke: (form: Readonly<Record<string, string>>, sent: Readonly<Record<string, string>> = headers) =>
      post(at('/oauth/connect/revocation'), form, sent),
    introspect: (accessToken: string, as: TestClient = client) =>
      post(at('/oauth/introspect'), { token: accessToken }, { authorization: basic(as) }),
    stop: async () => {
      await bench.close();
      await deployment.stop();
    },
  };
};

export type Arlo = Awaited<ReturnType<typeof startArlo>>;

/** An error of an OAuth endpoint: status, code, some words of its description, and nothing that a cache may keep. */
export const expectRefusal = (answer: Answer, status: number, error: string, words: RegExp = /./): void => {
  expect({ status: answer.status, body: answer.body }).toEqual({
    status,
    body: { error, error_description: expect.stringMatching(words) as string },
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
};

/** What an authorization request was answered with at the callback. */
export const answerOf = (visit: Pick<Visit, 'location'>): Readonly<Record<string, string>> =>
  Object.fromEntries(visit.location?.searchParams ?? []);
