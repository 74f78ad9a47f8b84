import { parseToken } from '@grantlog/crypto';
import type { GrantId } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { changeAccount, changeClient, changePlatform, eraseAccount, revokeGrant } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Answer, basic, post, type Tokens } from '../support/agent.ts';
import { type ConsentFlow, createConsentFlow } from '../support/consent.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import type { Visit, Visitor } from '../support/visitor.ts';
import { by, openWorkbench, type TestAccount, type TestClient, type Workbench } from '../support/workbench.ts';

/** TK-24, TK-33: disabled, revoked and suspended mean it on every path, at once, whichever process wrote it down. */
const platform = 'matrix' as PlatformId;

let deployment: Deployment;
let bench: Workbench;
let resource: string;
let bystander: TestClient;

beforeAll(async () => {
  deployment = await startDeployment({ databaseUrl: inject('databaseUrl'), apis: 1, workers: 0 });
  bench = openWorkbench(deployment);
  resource = (await bench.configure(platform)).resources[0]?.uri ?? '';
  bystander = await bench.client(platform, { serves: [resource] });
});
afterAll(async () => {
  await bench.close();
  await deployment.stop();
});

/** Everything that a client and an account hold, from before they lose it. */
type Holding = {
  readonly flow: ConsentFlow;
  readonly client: TestClient;
  readonly account: TestAccount;
  readonly tokens: Tokens;
  readonly spare: Tokens;
  readonly machine: string;
  readonly code: string;
  readonly visitor: Visitor;
  readonly page: Visit;
};

const askForItself = (flow: ConsentFlow, client: TestClient): Promise<Answer> =>
  post(flow.at('/oauth/token'), { grant_type: 'client_credentials', scope: 'read', resource }, { authorization: basic(client) });

const hold = async (): Promise<Holding> => {
  const [account, client] = [await bench.account(platform), await bench.client(platform)];
  const flow = createConsentFlow({ deployment, platform, client, account });
  const connect = async (): Promise<Tokens> => (await flow.redeem(await flow.code({ resource }))).body as unknown as Tokens;
  const [tokens, spare, code] = [await connect(), await connect(), await flow.code({ resource })];
  const machine = String((await askForItself(flow, client)).body['access_token']);
  return { flow, client, account, tokens, spare, machine, code, ...(await flow.atConsent()) };
};

const worded = ({ status, body }: Answer): string => `${status}${typeof body['error'] === 'string' ? ` ${body['error']}` : ''}`;

const shown = ({ status, location, text }: Visit): string => {
  if (location !== null) return `${status} ${location.searchParams.has('code') ? 'code' : location.searchParams.get('error')}`;
  return `${status} ${text.includes('name="decision"') ? 'consent' : text.includes('name="password"') ? 'sign-in' : 'page'}`;
};

const isActive = async (flow: ConsentFlow, token: string, caller = bystander): Promise<string> => {
  const answer = await post(flow.at('/oauth/introspect'), { token }, { authorization: basic(caller) });
  if (answer.status !== 200) return worded(answer);
  // RFC 7662 §2.2: of an inactive token nothing else is said.
  return answer.body['active'] === true ? 'active' : JSON.stringify(answer.body);
};

const inactive = '{"active":false}';

/** What every path answers. Nothing here consumes anything where it is refused. */
const probe = async ({ flow, client, account, tokens, spare, machine, code, visitor, page }: Holding) => {
  const fresh = flow.newVisitor();
  return {
    userinfo: worded(await get(flow.at('/oauth/userinfo'), tokens.access_token)),
    validation: worded(await get(flow.at(`/oauth/connect/accesstokenvalidation?token=${tokens.access_token}`))),
    introspect: await isActive(flow, tokens.access_token),
    introspectRefresh: await isActive(flow, tokens.refresh_token, client),
    introspectMachine: await isActive(flow, machine),
    redeem: worded(await flow.redeem(code)),
    refresh: worded(await flow.refresh(tokens.refresh_token)),
    clientCredentials: worded(await askForItself(flow, client)),
    revoke: worded(await flow.revoke(spare.access_token)),
    authorize: shown(await visitor.open(flow.authorizeUrl())),
    consent: shown(await flow.decide(visitor, page, 'allow')),
    signIn: shown(await flow.signIn(fresh, await fresh.open(flow.authorizeUrl()), account)),
  };
};

const get = async (url: string, bearer?: string): Promise<Answer> => {
  const response = await fetch(url, { headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
};

type Probed = Awaited<ReturnType<typeof probe>>;

const tokensDead = { userinfo: '401 invalid_token', validation: '400 invalid_token', introspect: inactive, introspectRefresh: inactive };
const grantDead = { ...tokensDead, redeem: '400 invalid_grant', refresh: '400 invalid_grant' };

const grantEnded: Probed = {
  ...grantDead,
  introspectMachine: 'active',
  clientCredentials: '200',
  revoke: '200',
  authorize: '200 consent',
  consent: '303 code',
  signIn: '200 consent',
};
const clientGone: Probed = {
  ...tokensDead,
  introspectRefresh: '401 invalid_client',
  introspectMachine: inactive,
  redeem: '401 invalid_client',
  refresh: '401 invalid_client',
  clientCredentials: '401 invalid_client',
  revoke: '401 invalid_client',
  authorize: '400 page',
  consent: '400 page',
  signIn: '403 page',
};
const accountGone: Probed = { ...grantEnded, authorize: '200 sign-in', consent: '400 page', signIn: '400 sign-in' };
const suspended: Probed = {
  ...grantDead,
  introspectMachine: inactive,
  // Suspension ends, and clients that read invalid_grant throw their tokens away.
  redeem: '503 temporarily_unavailable',
  refresh: '503 temporarily_unavailable',
  clientCredentials: '503 temporarily_unavailable',
  revoke: '200',
  authorize: '503 page',
  consent: '503 page',
  signIn: '503 page',
};

const reason = 'test';
const onPlatform = (command: Parameters<typeof changePlatform>[2]['command']) => () =>
  changePlatform(bench.context, by, { platform, command });
const onAccount = (command: Parameters<typeof changeAccount>[2]['command']) => (holding: Holding) =>
  changeAccount(bench.context, by, { platform, account: holding.account.id, command });
const onClient = (command: Parameters<typeof changeClient>[2]['command']) => (holding: Holding) =>
  changeClient(bench.context, by, { platform, clientId: holding.client.client_id, command });
const grantOf = (token: string): GrantId => parseToken(token)?.payload.streamId as GrantId;
const endGrants = async ({ tokens, code }: Holding) => {
  await revokeGrant(bench.context, by, { platform, grant: grantOf(tokens.access_token) });
  return revokeGrant(bench.context, by, { platform, grant: grantOf(code) });
};

type Change = (holding: Holding) => Promise<object>;
const change = async (work: Change, holding: Holding): Promise<void> => expect(await work(holding)).toMatchObject({ changed: true });

describe('once an operator has acted, every path refuses', () => {
  const forGood: readonly (readonly [string, Change, Probed])[] = [
    ['the grant is revoked', endGrants, grantEnded],
    ['all grants of the client are revoked', onClient({ type: 'revokeGrants', reason }), { ...grantEnded, introspectMachine: inactive }],
    ['the client is deleted', onClient({ type: 'delete' }), clientGone],
    ['all grants of the account are revoked', onAccount({ type: 'revokeGrants', reason }), { ...accountGone, signIn: '200 consent' }],
    ['the account is erased', ({ account }) => eraseAccount(bench.context, by, { platform, account: account.id }), accountGone],
    [
      'all grants of the platform are revoked',
      onPlatform({ type: 'revokeGrants', reason }),
      { ...accountGone, signIn: '200 consent', introspectMachine: inactive },
    ],
  ];
  test.each(forGood)('after %s', async (_, act, expected) => {
    const holding = await hold();
    expect(await isActive(holding.flow, holding.tokens.access_token)).toBe('active');
    await change(act, holding);
    expect(await probe(holding)).toEqual(expected);
  });

  const forNow: readonly (readonly [string, Change, Change, Probed])[] = [
    ['the client is disabled', onClient({ type: 'disable', reason }), onClient({ type: 'enable' }), clientGone],
    ['the account is disabled', onAccount({ type: 'disable', reason }), onAccount({ type: 'enable' }), accountGone],
    ['the platform is suspended', onPlatform({ type: 'suspend', reason }), onPlatform({ type: 'resume' }), suspended],
  ];
  test.each(forNow)('while %s, and gives everything back after it', async (_, act, undo, expected) => {
    const holding = await hold();
    await change(act, holding);
    const during = await probe(holding);
    await change(undo, holding);
    expect(during).toEqual(expected);
    expect(await probe(holding)).toEqual({
      userinfo: '200',
      validation: '200',
      introspect: 'active',
      introspectRefresh: 'active',
      introspectMachine: 'active',
      redeem: '200',
      refresh: '200',
      clientCredentials: '200',
      revoke: '200',
      authorize: '200 consent',
      consent: '303 code',
      signIn: '200 consent',
    });
  });
});
