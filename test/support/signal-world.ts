import { type Agent, basic, createAgent, post } from './agent.ts';
import { type Deployment, startDeployment } from './deployment.ts';
import { openWorkbench, type TestAccount, type TestClient } from './workbench.ts';

type Json = Readonly<Record<string, unknown>>;
type Answer = { readonly status: number; readonly body: Json };

const scopes = [
  { name: 'openid', description: 'Know which account is yours' },
  { name: 'offline_access', description: 'Stay connected while you are away' },
  { name: 'read', description: 'Read your things' },
  { name: 'ssf.read', description: 'Read streams of security events' },
  { name: 'ssf.manage', description: 'Receive security events' },
  { name: 'ssf.platform', description: 'Receive security events of everybody' },
];

/**
 * A platform that transmits security events, on two processes: a client that receives its own, a watcher that may hear
 * everything, and a person. Every request goes to the other process: each knows at once what the one before has decided.
 */
export const createSignalWorld = async (options: { readonly databaseUrl: string; readonly platform: string; readonly workers: number }) => {
  const { platform } = options;
  const deployment: Deployment = await startDeployment({ databaseUrl: options.databaseUrl, apis: 2, workers: options.workers });
  const bench = openWorkbench(deployment);
  await bench.configure(platform, { scopes, resources: [] });
  const client: TestClient = await bench.client(platform, { scopes: ['openid', 'offline_access', 'read', 'ssf.read', 'ssf.manage'] });
  const watcher: TestClient = await bench.client(platform);
  const account: TestAccount = await bench.account(platform);
  const issuer = `${deployment.publicUrl}/${platform}`;
  const agent: Agent = createAgent({ name: platform, scope: 'openid offline_access read', demo: { issuer, client, account } as never });

  const api = (index = 0): { readonly url: string } => {
    const found = deployment.apis[index];
    if (found === undefined) throw new Error('there is no such API');
    return found;
  };
  let turn = 0;
  const ask = async (token: string | null, method: string, path: string, body?: object, at = platform): Promise<Answer> => {
    turn += 1;
    const response = await fetch(`${api(turn % 2).url}/${at}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  };
  return {
    deployment,
    bench,
    client,
    watcher,
    account,
    issuer,
    agent,
    api,
    ask,
    jwksUri: `${api().url}/${platform}/.well-known/jwks.json`,
    /** A client's token of its own. */
    itself: async (who: TestClient, scope: string): Promise<string> => {
      const form = { grant_type: 'client_credentials', scope };
      return String((await post(agent.at(api(), '/oauth/token'), form, { authorization: basic(who) })).body['access_token']);
    },
    create: async (token: string, body: object): Promise<Json & { readonly stream_id: string }> => {
      const created = await ask(token, 'POST', '/ssf/streams', body);
      if (created.status !== 201) throw new Error(JSON.stringify(created));
      return created.body as Json & { readonly stream_id: string };
    },
    /** A person allows the client something. */
    connect: async (): Promise<{ readonly access: string; readonly refresh: string; readonly grant: string }> => {
      const { body } = await agent.redeem(api(), await agent.code(api()));
      const access = String(body['access_token']);
      return { access, refresh: String(body['refresh_token']), grant: String((await agent.introspect(api(), access)).body['grant_id']) };
    },
    close: async (): Promise<void> => {
      await bench.close();
      await deployment.stop();
    },
  };
};

export type SignalWorld = Awaited<ReturnType<typeof createSignalWorld>>;
