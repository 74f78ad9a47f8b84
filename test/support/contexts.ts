import { get } from 'node:http';
import { deviceCodeGrant, tokenExchangeGrant } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type AccountContext, setContexts } from '@grantlog/provisioning';
import { type Answer, basic, post } from './agent.ts';
import { type ConsentFlow, createConsentFlow } from './consent.ts';
import type { Deployment } from './deployment.ts';
import type { Visitor } from './visitor.ts';
import { by, type TestAccount, type TestClient, type Workbench } from './workbench.ts';

export const family: AccountContext = { id: 'safe_family', name: 'Family <b>' };
export const work: AccountContext = { id: 'safe_work', name: 'Work' };

/** Where a browser is sent that goes to a URL itself: `fetch` would say of itself that it is no browser. */
export const navigate = (visitor: Visitor, url: string): Promise<URL | null> =>
  new Promise((resolve, reject) => {
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    get(url, { headers: { cookie, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } }, (response) => {
      response.resume();
      const { location } = response.headers;
      resolve(location === undefined ? null : new URL(location));
    }).once('error', reject);
  });

/** A platform whose accounts have Safes, an app of it, two resources of each Safe, and the server that serves both. */
export const createSafes = async (world: {
  readonly deployment: Deployment;
  readonly bench: Workbench;
  readonly platform: string;
  readonly required: boolean;
  /** What its document says besides. */
  readonly document?: object;
  /** What its resource server serves, where the document says other resources. */
  readonly serves?: readonly string[];
}) => {
  const { deployment, bench, required } = world;
  const platform = world.platform as PlatformId;
  const issuer = `${deployment.publicUrl}/${platform}`;
  const [resource, signed] = [`${issuer}/mcp/v1`, `${issuer}/signed`] as const;
  const document = {
    contexts: { noun: 'Safe', required },
    consent: { remember: false },
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', deviceCodeGrant, tokenExchangeGrant],
    resources: [
      { uri: resource, name: 'Memory', scopes: ['read'], perContext: true },
      { uri: signed, name: 'Signed memory', scopes: ['read'], perContext: true, accessTokenFormat: 'jwt', accessTokenAlg: 'ES256' },
    ],
    ...world.document,
  };
  await bench.configure(platform, document);
  const server = await bench.client(platform, { name: 'Memory server', serves: world.serves ?? [resource, signed] });
  const app = await bench.client(platform, { name: 'Notebook', grantTypes: ['authorization_code', 'refresh_token', tokenExchangeGrant] });

  const at = (node: number, path: string): string => `${deployment.apis[node % deployment.apis.length]?.url}/${platform}${path}`;
  const give = async (account: TestAccount, ...contexts: readonly AccountContext[]): Promise<void> => {
    const outcome = await setContexts(bench.context, by, { platform, account: account.id, contexts });
    if ('refusal' in outcome) throw new Error(outcome.refusal);
  };
  const person = async (...contexts: readonly AccountContext[]): Promise<TestAccount> => {
    const account = await bench.account(platform);
    await give(account, ...contexts);
    return account;
  };
  const flowOf = (account: TestAccount): ConsentFlow => createConsentFlow({ deployment, platform, client: app, account });

  return {
    platform,
    issuer,
    resource,
    signed,
    document,
    server,
    app,
    at,
    give,
    person,
    flowOf,
    /** The tokens of a request that the person allows, for what they choose. */
    connect: async (
      account: TestAccount,
      choice: Readonly<Record<string, string>>,
      asked: Readonly<Record<string, string>> = { resource },
    ) => {
      const flow = flowOf(account);
      const { visitor, page } = await flow.atConsent(asked);
      const answer = await flow.decide(visitor, page, 'allow', choice);
      const { status, body } = await flow.redeem(answer.location?.searchParams.get('code') ?? '');
      if (status !== 200) throw new Error(JSON.stringify([answer.status, answer.text, body]));
      return { flow, access: String(body['access_token']), refresh: String(body['refresh_token']), body };
    },
    introspect: (token: string, client: TestClient = server, node = 0): Promise<Answer> =>
      post(at(node, '/oauth/introspect'), { token }, { authorization: basic(client) }),
    select: (token: string, context: string, client: TestClient = server, node = 0): Promise<Answer> =>
      post(at(node, '/oauth/context'), { token, context }, { authorization: basic(client) }),
  };
};

export type Safes = Awaited<ReturnType<typeof createSafes>>;
