import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFormBrowser, decideAs, type FormBrowser } from '@grantlog/cli';
import { type Answer, basic, pkce, post } from '../../../support/agent.ts';
import { type Deployment, startDeployment } from '../../../support/deployment.ts';
import { openWorkbench, type TestAccount } from '../../../support/workbench.ts';

export const platform = 'along';
export const callback = 'http://127.0.0.1:53682/callback';

export type Tokens = {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
};

type Fields = Readonly<Record<string, string>>;

/** The platform of the document with two API processes, its MCP server behind them, and whoever comes there. */
export const startAlong = async (
  databaseUrl: string,
  options: { readonly workers?: number; readonly settings?: Fields; readonly exampleSettings?: Fields } = {},
) => {
  const { workers = 0, settings = {}, exampleSettings = {} } = options;
  const deployment: Deployment = await startDeployment({ databaseUrl, apis: 2, workers, examples: true, settings, exampleSettings });
  const bench = openWorkbench(deployment);
  const { publicUrl, demo } = deployment;
  const issuer = `${publicUrl}/${platform}`;
  const mcp = `${issuer}/mcp/v1`;

  const register = (metadata: object): Promise<Answer> => registerAt(issuer, metadata);
  const registerAt = async (at: string, metadata: object): Promise<Answer> => {
    const response = await fetch(`${at}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  };
  const authorizeUrl = (clientId: string, challenge: string, change: Fields = {}): string =>
    `${issuer}/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: callback,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 'state-1',
      ...change,
    })}`;
  const token = (form: Fields): Promise<Answer> => post(`${issuer}/oauth/token`, form);

  return {
    deployment,
    bench,
    issuer,
    mcp,
    /** The issuer as another process of the same server has it. */
    elsewhere: `${deployment.apis[1]?.url}/${platform}`,
    demo: demo.platforms[platform],
    register,
    registerAt,
    /** A public client that registered itself for {@link callback}. */
    newClient: async (metadata: object = {}): Promise<string> => {
      const answer = await register({
        client_name: 'Test agent',
        redirect_uris: ['http://127.0.0.1/callback'],
        token_endpoint_auth_method: 'none',
        ...metadata,
      });
      if (answer.status !== 201) throw new Error(`the registration was refused: ${JSON.stringify(answer.body)}`);
      return String(answer.body['client_id']);
    },
    account: (): Promise<TestAccount> => bench.account(platform, { displayName: 'Ada Person' }),
    authorizeUrl,
    token,
    /** A fresh code that a person has allowed, and its verifier. */
    code: async (clientId: string, account: TestAccount, change: Fields = {}, browser: FormBrowser = createFormBrowser()) => {
      const { verifier, challenge } = pkce();
      const back = await decideAs(browser, authorizeUrl(clientId, challenge, change), { ...account, decision: 'allow' });
      return { code: back.searchParams.get('code') ?? '', verifier, back };
    },
    redeem: (clientId: string, of: { readonly code: string; readonly verifier: string }, change: Fields = {}): Promise<Answer> =>
      token({
        grant_type: 'authorization_code',
        client_id: clientId,
        code: of.code,
        code_verifier: of.verifier,
        redirect_uri: callback,
        ...change,
      }),
    refresh: (clientId: string, refreshToken: string, change: Fields = {}): Promise<Answer> =>
      token({ grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken, ...change }),
    introspect: (accessToken: string): Promise<Answer> => {
      const server = demo.platforms[platform]?.resourceServer;
      if (server === undefined) throw new Error('the seed made no resource server of Along');
      return post(`${issuer}/oauth/introspect`, { token: accessToken }, { authorization: basic(server) });
    },
    /** Calls the management API as the operator. */
    operator: async () => {
      const answer = await post(
        `${publicUrl}/system/oauth/token`,
        { grant_type: 'client_credentials', scope: 'manage' },
        { authorization: basic(demo.operator.client) },
      );
      return {
        call: async (method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Readonly<Record<string, unknown>>> => {
          const headers = {
            authorization: `Bearer ${String(answer.body['access_token'])}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          };
          const called = await fetch(`${publicUrl}${path}`, {
            method,
            headers,
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          if (!called.ok) throw new Error(`${method} ${path} was answered with ${called.status}: ${await called.text()}`);
          return (await called.json()) as Record<string, unknown>;
        },
      };
    },
    /** The document of the platform as its file has it, with something changed. */
    configure: async (change: object): Promise<void> => {
      const text = await readFile(join(import.meta.dirname, '..', '..', '..', '..', 'infra', 'platforms', `${platform}.json`), 'utf8');
      const document: unknown = JSON.parse(
        text.replaceAll('{issuer}', issuer).replaceAll('{examples}', deployment.examples?.url ?? 'http://127.0.0.1:9'),
      );
      await bench.configure(platform, { ...(document as object), ...change });
    },
    stop: async () => {
      await bench.close();
      await deployment.stop();
    },
  };
};

export type Along = Awaited<ReturnType<typeof startAlong>>;
