import { expect } from 'vitest';
import { type Answer, basic, pkce, post } from '../support/agent.ts';
import type { Deployment } from '../support/deployment.ts';
import { createVisitor, type Visit } from '../support/visitor.ts';
import type { Canary, Haystack } from './leak-search.ts';

const password = 'canary-password-vT9x2LqW';
const email = 'canary.person@secret-mail.example';
const personName = 'Canarina Nightingale-Smith';
const redirectUri = 'https://client.example/cb';

/** What an endpoint is sent with besides its signature. */
export const endpointSecrets = { token: 'canary-token-of-endpoint-6Wd', key: 'canary-header-of-endpoint-2Bn' } as const;

/** Collects the secrets to look for, and what refusals said. */
export const createRecord = () => {
  const canaries: Canary[] = [];
  const refusals: Haystack[] = [];

  const keep = (name: string, secret: unknown): string => {
    if (typeof secret !== 'string' || secret === '') throw new Error(`there is no ${name} to look for`);
    canaries.push([name, secret]);
    return secret;
  };

  /** Keeps what a refusal said, its headers included; only what a person's browser must hold again may be in a page. */
  const refusedBy = (
    what: string,
    { status, text, headers }: { readonly status: number; readonly text: string; readonly headers: Headers },
  ): void => {
    expect(status, what).toBeGreaterThanOrEqual(400);
    expect(status, what).toBeLessThan(500);
    const shown = text.replaceAll(/(<input type="hidden" name="(?:csrf|request)" value=")[^"]*"/g, '$1"');
    refusals.push([`the answer to ${what}`, `${JSON.stringify([...headers])}\n${shown}`]);
  };
  const refused = (what: string, answer: Answer | Visit): void =>
    refusedBy(what, { text: JSON.stringify('body' in answer ? answer.body : answer.text), ...answer });
  const raw = async (what: string, url: string, init: RequestInit): Promise<void> => {
    const response = await fetch(url, { redirect: 'manual', ...init });
    refusedBy(what, { status: response.status, headers: response.headers, text: await response.text() });
  };
  return { canaries, refusals, keep, refused, raw };
};

type LifeRecord = ReturnType<typeof createRecord>;

/** One platform's life from its operator to the end of a grant, and every mistake on the way that could spill a secret. */
export const liveAndMisuse = async (life: {
  readonly deployment: Deployment;
  readonly platform: string;
  readonly hook: string;
  readonly record: Omit<LifeRecord, 'canaries' | 'refusals'>;
}): Promise<void> => {
  const { deployment, platform, hook } = life;
  const { keep, refused, raw } = life.record;
  const url = deployment.apis[0]?.url ?? '';
  const at = (path: string): string => `${url}/${platform}${path}`;

  // 1. An operator's machine sets the platform up.
  const { operator } = deployment.demo;
  keep('the operator client secret', operator.client.client_secret);
  keep('the operator password', operator.password);
  const operatorAnswer = await post(
    `${url}/system/oauth/token`,
    { grant_type: 'client_credentials', scope: 'manage' },
    { authorization: basic(operator.client) },
  );
  const operatorToken = keep('the operator token', operatorAnswer.body['access_token']);
  const manage = async (method: string, path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' };
    const response = await fetch(at(`/manage${path}`), { method, headers, body: JSON.stringify(body) });
    expect([method, path, response.ok]).toEqual([method, path, true]);
    return (await response.json()) as Record<string, unknown>;
  };
  const account = await manage('POST', '/accounts', {
    email,
    name: personName,
    password: keep('the first password', 'canary-first-password-7Yh'),
  });
  await manage('PUT', `/accounts/${String(account['accountId'])}/password`, { password: keep('the password', password) });
  keep('the email', email);
  keep("the person's name", personName);
  const registered = await manage('POST', '/clients', { name: 'Agent', kind: 'confidential', redirectUris: [redirectUri] });
  const client = { client_id: String(registered['clientId']), client_secret: keep('the client secret', registered['secret']) };
  const rotated = await manage('POST', `/clients/${client.client_id}/secret`, { overlapSeconds: 60 });
  keep('the rotated client secret', rotated['secret']);
  keep('the webhook secret', (await manage('POST', '/webhook-endpoints', { url: hook }))['secret']);
  const { token, key } = endpointSecrets;
  const headers = { 'X-Api-Key': keep('the header of an endpoint', key) };
  const keyed = { url: hook.replace(/hook$/, 'keyed'), webhookToken: keep('the token of an endpoint', token), headers };
  const endpoint = `/webhook-endpoints/${String((await manage('POST', '/webhook-endpoints', keyed))['endpointId'])}`;
  await manage('PUT', `${endpoint}/headers`, headers);
  await manage('POST', `${endpoint}/webhook-token`, { webhookToken: token });
  for (const [what, wrong] of [
    ['a header of ours', { authorization: key }],
    ['a header that splits', { 'x-key': `${key}\r\nx: 1` }],
    ['a header that is too long', { 'x-key': key.repeat(200) }],
    ['a header given twice', { 'x-key': key, 'X-Key': key }],
    ['headers within headers', { headers }],
  ] as const)
    await raw(what, at(`/manage${endpoint}/headers`), {
      method: 'PUT',
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(wrong),
    });
  await raw('a token of two words', at(`/manage${endpoint}/webhook-token`), {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ webhookToken: `${token} ${token}` }),
  });
  await raw('a broken management body', at('/manage/accounts'), {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    body: `{"password":"${password}","email":"${email}"`,
  });
  await raw('a wrong management body', at('/manage/accounts'), {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password, email: 7, secret: password }),
  });

  // 2. A person signs in, wrongly and rightly, and allows.
  const { verifier, challenge } = pkce();
  keep('the code verifier', verifier);
  const query = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: 's',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  const visitor = createVisitor(new URL(deployment.publicUrl).origin);
  const authorize = (change: object = {}): Promise<Visit> =>
    visitor.open(at(`/oauth/authorize?${new URLSearchParams({ ...query, ...change })}`));
  const signInPage = await authorize({ login_hint: email });
  refused(
    'a wrong password',
    await visitor.post(at('/sign-in'), {
      ...signInPage.hidden,
      email,
      password: keep('a mistyped password', 'canary-mistyped-password-Zk3'),
    }),
  );
  refused(
    'an unknown email',
    await visitor.post(at('/sign-in'), {
      ...signInPage.hidden,
      email: keep('an unknown email', 'canary.nobody@secret-mail.example'),
      password,
    }),
  );
  refused('a forged form', await visitor.post(at('/sign-in'), { ...signInPage.hidden, csrf: password, email, password }));
  await raw('a sign-in in JSON', at('/sign-in'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"password":"${password}"`,
  });
  const consentPage = await visitor.post(at('/sign-in'), { ...signInPage.hidden, email, password });
  for (const [name, page] of [
    ['sign-in', signInPage],
    ['consent', consentPage],
  ] as const) {
    keep(`the CSRF token of the ${name} page`, page.hidden['csrf']);
    keep(`the sealed request of the ${name} page`, page.hidden['request']);
  }
  for (const [name, value] of visitor.cookies) keep(`the cookie ${name}`, value);
  const allowed = await visitor.post(at('/consent'), { ...consentPage.hidden, decision: 'allow' });
  const code = keep('the code', allowed.location?.searchParams.get('code'));

  // 3. The client redeems, refreshes, asks and revokes; wrongly first.
  const redeem = (change: Readonly<Record<string, string>>, who = client): Promise<Answer> =>
    post(
      at('/oauth/token'),
      { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: redirectUri, ...change },
      { authorization: basic(who) },
    );
  const wrong = { ...client, client_secret: keep('a wrong client secret', 'canary-wrong-client-secret-Qp4w') };
  refused('a wrong client secret', await redeem({}, wrong));
  refused('a wrong verifier', await redeem({ code_verifier: keep('a wrong verifier', 'canary-wrong-verifier-'.padEnd(50, 'x')) }));
  refused('a broken verifier', await redeem({ code_verifier: 'canary wrong verifier "' }));
  refused('a secret with a NUL', await redeem({ code: `${code}\0` }));
  refused(
    'a token request by query',
    await post(at(`/oauth/token?client_secret=${client.client_secret}&code=${code}&password=${password}&c%6fde=${code}`), {}),
  );
  refused('a secret as grant_type', await post(at('/oauth/token'), { grant_type: password }, { authorization: basic(client) }));
  refused('a secret as client_id', await post(at('/oauth/token'), { grant_type: 'refresh_token', client_id: client.client_secret }));
  await raw('a broken Basic', at('/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({ code }),
    headers: { authorization: `Basic ${client.client_secret}` },
  });
  await raw('a JSON token request', at('/oauth/token'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"client_secret":"${client.client_secret}"`,
  });
  await raw('a token request of a strange type', at('/oauth/token'), {
    method: 'POST',
    headers: { 'content-type': `x/${password}` },
    body: code,
  });
  const first = (await redeem({})).body;
  const accessToken = keep('the access token', first['access_token']);
  keep('the ID token', first['id_token']);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  expect((await fetch(at('/oauth/userinfo'), bearer(accessToken))).status).toBe(200);
  expect((await fetch(at(`/oauth/connect/accesstokenvalidation?token=${accessToken}`))).status).toBe(200);
  await raw('a validation of a broken token', at(`/oauth/connect/accesstokenvalidation?tok%65n=${accessToken}x`), {});
  await raw('a validation of a token twice', at(`/oauth/connect/accesstokenvalidation?token=${accessToken}&token=${accessToken}`), {});
  await raw('a userinfo of a broken token', at('/oauth/userinfo'), bearer(`${accessToken}x`));
  await raw('a userinfo by query', at(`/oauth/userinfo?access_token=${accessToken}`), {});
  const refresh = (token: string): Promise<Answer> =>
    post(at('/oauth/token'), { grant_type: 'refresh_token', refresh_token: token }, { authorization: basic(client) });
  const firstRefresh = keep('the refresh token', first['refresh_token']);
  const second = (await refresh(firstRefresh)).body;
  keep('the second access token', second['access_token']);
  keep('the second refresh token', second['refresh_token']);
  await refresh(firstRefresh);
  refused('a changed refresh token', await refresh(`${firstRefresh.slice(0, -1)}${firstRefresh.endsWith('A') ? 'B' : 'A'}`));
  expect((await post(at('/oauth/introspect'), { token: accessToken }, { authorization: basic(client) })).body['active']).toBe(true);
  refused('an introspection of nobody', await post(at('/oauth/introspect'), { token: accessToken, client_id: client.client_secret }));
  expect((await post(at('/oauth/revoke'), { token: accessToken }, { authorization: basic(client) })).status).toBe(200);
  refused('a replayed code', await redeem({}));
  refused('a late refresh', await refresh(String(second['refresh_token'])));
  refused(
    'an authorization with secrets',
    await authorize({
      redirect_uri: `https://evil.example/?token=${accessToken}`,
      request: password,
      id_token_hint: String(first['id_token']),
    }),
  );
};
