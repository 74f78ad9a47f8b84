import { parseToken, type SigningKey, signJwt } from '@grantlog/crypto';
import { type GrantId, jwtBearerGrant, tokenExchangeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { changeAccount, changeClient, changePlatform, eraseAccount, registerAccount, revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post } from '../support/agent.ts';
import { createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { createProofKey } from '../support/proof-key.ts';
import { openTrustedSite, type TrustedSite } from '../support/trusted-site.ts';
import { by, openWorkbench, type TestClient, type Workbench } from '../support/workbench.ts';

/** TK-24, TK-33 for what came after codes and refresh tokens: exchanges, identity assertions, bound tokens, pushed requests. */
const platform = 'chains' as PlatformId;
const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials', tokenExchangeGrant, jwtBearerGrant] as const;
type Fields = Readonly<Record<string, string>>;

let site: TrustedSite;
let provider: SigningKey;
let deployment: Deployment;
let bench: Workbench;
let resource: string;
let bystander: TestClient;

beforeAll(async () => {
  site = await openTrustedSite();
  provider = await site.publishKey();
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0, settings: site.settings });
  bench = openWorkbench(deployment);
  const trustedIssuers = [{ issuer: site.origin, jwksUri: `${site.origin}/keys`, emailDomains: ['corp.example'] }];
  resource = (await bench.configure(platform, { grantTypes, trustedIssuers })).resources[0]?.uri ?? '';
  bystander = await bench.client(platform, { serves: [resource] });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
  await site.close();
});

const send = (path: string, form: Fields, client: TestClient, headers: Fields = {}): Promise<Answer> =>
  post(`${deployment.apis[0]?.url}/${platform}${path}`, form, { authorization: basic(client), ...headers });
const worded = ({ status, body }: Answer): string => `${status}${typeof body['error'] === 'string' ? ` ${body['error']}` : ''}`;
const tokenOf = ({ status, body }: Answer): string => {
  expect(status, JSON.stringify(body)).toBe(200);
  return String(body['access_token']);
};
const isActive = async (token: string): Promise<boolean> => (await send('/oauth/introspect', { token }, bystander)).body['active'] === true;
const exchange = (token: string, client: TestClient): Promise<Answer> =>
  send(
    '/oauth/token',
    { grant_type: tokenExchangeGrant, subject_token: token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    client,
  );
const assertion = (client: TestClient, email: string): Promise<string> => {
  const seconds = Math.floor(Date.now() / 1000);
  const about = { iss: site.origin, aud: `${deployment.publicUrl}/${platform}`, client_id: client.client_id, sub: email, email };
  const claims = { ...about, jti: crypto.randomUUID(), iat: seconds, exp: seconds + 300, resource, scope: 'read' };
  return signJwt({ key: provider, typ: 'oauth-id-jag+jwt', claims });
};
const assert = async (client: TestClient, email: string): Promise<Answer> =>
  send('/oauth/token', { grant_type: jwtBearerGrant, assertion: await assertion(client, email) }, client);

/** A person's app, two servers that pass its token on one after the other, and all that each of them has. */
const hold = async () => {
  const email = `${crypto.randomUUID()}@corp.example`;
  const person = { platform, email, password: crypto.randomUUID(), displayName: 'A Person', roles: [], emailVerified: true };
  const registered = await registerAccount(bench.context, by, person);
  if (registered.kind === 'refused') throw new Error(registered.refusal);
  const account = { id: registered.account, email, password: person.password };
  const client = await bench.client(platform, { grantTypes });
  const server = await bench.client(platform, { grantTypes, serves: [resource] });
  const relay = await bench.client(platform, { grantTypes, serves: [resource] });
  const flow = createConsentFlow({ deployment, platform, client, account });
  const key = createProofKey();
  const prove = (method: string, path: string, token?: string): string =>
    key.proof({ method, url: `${deployment.publicUrl}/${platform}${path}`, ...(token === undefined ? {} : { token }) });
  const token = tokenOf(await flow.redeem(await flow.code({ resource })));
  const boundBy = { authorization: basic(client), dpop: prove('POST', '/oauth/token') };
  const bound = tokenOf(await flow.redeem(await flow.code({ resource }), {}, boundBy));
  const passed = tokenOf(await exchange(token, server));
  const onward = tokenOf(await exchange(passed, relay));
  return { account, client, server, relay, flow, prove, token, bound, passed, onward, asserted: tokenOf(await assert(client, email)) };
};
type Holding = Awaited<ReturnType<typeof hold>>;

const showBound = async ({ bound, prove }: Holding): Promise<string> => {
  const headers = { authorization: `DPoP ${bound}`, dpop: prove('GET', '/oauth/userinfo', bound) };
  const response = await fetch(`${deployment.apis[0]?.url}/${platform}/oauth/userinfo`, { headers });
  return worded({ status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> });
};
const push = ({ client, flow }: Holding): Promise<Answer> =>
  send('/oauth/par', Object.fromEntries(new URL(flow.authorizeUrl()).searchParams), client);

const probe = async (holding: Holding) => {
  const { client, server, account, token, passed, onward, asserted } = holding;
  return {
    passed: await isActive(passed),
    onward: await isActive(onward),
    asserted: await isActive(asserted),
    bound: await showBound(holding),
    exchange: worded(await exchange(token, server)),
    exchangeOwn: worded(await exchange(token, client)),
    assert: worded(await assert(client, account.email)),
    push: worded(await push(holding)),
  };
};
type Probed = Awaited<ReturnType<typeof probe>>;

const untouched: Probed = {
  passed: true,
  onward: true,
  asserted: true,
  bound: '200',
  exchange: '200',
  exchangeOwn: '200',
  assert: '200',
  push: '201',
};
const sourceGone: Probed = {
  ...untouched,
  passed: false,
  onward: false,
  exchange: '400 invalid_request',
  exchangeOwn: '400 invalid_request',
};
const allGone: Probed = { ...sourceGone, asserted: false, bound: '401 invalid_token' };
const clientGone: Probed = {
  ...allGone,
  exchangeOwn: '401 invalid_client',
  assert: '401 invalid_client',
  push: '401 invalid_client',
};
const accountGone: Probed = { ...allGone, assert: '400 invalid_grant' };
const serverGone: Probed = { ...untouched, passed: false, onward: false, exchange: '401 invalid_client' };
const unavailable = '503 temporarily_unavailable';
const suspended: Probed = { ...allGone, exchange: unavailable, exchangeOwn: unavailable, assert: unavailable, push: unavailable };

const reason = 'test';
type Change = (holding: Holding) => Promise<object>;
type Command<Work extends (...given: never[]) => unknown> = Parameters<Work>[2] extends { readonly command: infer Given } ? Given : never;
const onPlatform =
  (command: Command<typeof changePlatform>): Change =>
  () =>
    changePlatform(bench.context, by, { platform, command });
const onAccount =
  (command: Command<typeof changeAccount>): Change =>
  ({ account }) =>
    changeAccount(bench.context, by, { platform, account: account.id, command });
const onClient =
  (which: 'client' | 'server' | 'relay', command: Command<typeof changeClient>): Change =>
  (holding) =>
    changeClient(bench.context, by, { platform, clientId: holding[which].client_id, command });
const endGrantOf =
  (which: 'token' | 'passed' | 'asserted'): Change =>
  (holding) =>
    revokeGrant(bench.context, by, { platform, grant: parseToken(holding[which])?.payload.streamId as GrantId });
const change = async (work: Change, holding: Holding): Promise<void> => expect(await work(holding)).toMatchObject({ changed: true });

describe('once an operator has acted, nothing that stands on it is good for anything', () => {
  const forGood: readonly (readonly [string, Change, Probed])[] = [
    ['the grant of the token that was passed on is revoked', endGrantOf('token'), sourceGone],
    ['the grant in the middle is revoked', endGrantOf('passed'), { ...untouched, passed: false, onward: false }],
    ['the grant of an identity assertion is revoked', endGrantOf('asserted'), { ...untouched, asserted: false }],
    ['all grants of the app are revoked', onClient('client', { type: 'revokeGrants', reason }), allGone],
    ['the app is deleted', onClient('client', { type: 'delete' }), clientGone],
    [
      'all grants of the server in the middle are revoked',
      onClient('server', { type: 'revokeGrants', reason }),
      { ...untouched, passed: false, onward: false },
    ],
    ['the server in the middle is deleted', onClient('server', { type: 'delete' }), serverGone],
    ['the last server is deleted', onClient('relay', { type: 'delete' }), { ...untouched, onward: false }],
    ['all grants of the account are revoked', onAccount({ type: 'revokeGrants', reason }), allGone],
    ['the account is erased', ({ account }) => eraseAccount(bench.context, by, { platform, account: account.id }), accountGone],
    ['all grants of the platform are revoked', onPlatform({ type: 'revokeGrants', reason }), allGone],
  ];
  test.each(forGood)('after %s', async (_, act, expected) => {
    const holding = await hold();
    await change(act, holding);
    expect(await probe(holding)).toEqual(expected);
  });

  const forNow: readonly (readonly [string, Change, Change, Probed])[] = [
    ['the app is disabled', onClient('client', { type: 'disable', reason }), onClient('client', { type: 'enable' }), clientGone],
    [
      'the server in the middle is disabled',
      onClient('server', { type: 'disable', reason }),
      onClient('server', { type: 'enable' }),
      serverGone,
    ],
    ['the account is disabled', onAccount({ type: 'disable', reason }), onAccount({ type: 'enable' }), accountGone],
    ['the platform is suspended', onPlatform({ type: 'suspend', reason }), onPlatform({ type: 'resume' }), suspended],
  ];
  test.each(forNow)('while %s, and all of it comes back after it', async (_, act, undo, expected) => {
    const holding = await hold();
    await change(act, holding);
    const during = await probe(holding);
    await change(undo, holding);
    expect(during).toEqual(expected);
    expect(await probe(holding)).toEqual(untouched);
  });
});
