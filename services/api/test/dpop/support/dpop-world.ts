import { parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, configurePlatform, registerClient } from '@grantlog/provisioning';
import type { InjectOptions, RouteOptions } from 'fastify';
import { createProofKey, type ProofKey } from '../../../../../test/support/proof-key.ts';
import { type Answer, createWorld, type Json } from '../../management/support/world.ts';

const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export const origin = 'http://localhost:4000';
export const vault = 'vault' as PlatformId;
const issuer = `${origin}/${vault}`;
export const jwtResource = 'https://vault.example/jwt';

const scopes = ['openid', 'read', 'account', 'developer'].map((name) => ({ name, description: name, default: name === 'read' }));

const documentJson = {
  name: vault,
  displayName: 'Vault',
  scopes,
  resources: [
    { uri: `${issuer}/mcp`, name: 'For agents', scopes: ['read'] },
    { uri: jwtResource, name: 'Its API', scopes: ['read'], accessTokenFormat: 'jwt', accessTokenAlg: 'EdDSA' },
  ],
  presetClients: [
    {
      clientId: 'agent',
      name: 'Agent',
      type: 'public',
      grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    },
  ],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
  agentSignUp: { unidentifiedClient: 'agent' },
  mcpServer: {
    resource: `${issuer}/mcp`,
    name: 'example.vault/vault',
    version: '1.0.0',
    description: 'Vaults',
    publisher: { name: 'Vault', url: 'https://vault.example' },
  },
  switches: { connectPaths: true },
  roles: ['member'],
};

export type Route = { readonly method: string; readonly url: string; readonly config: NonNullable<RouteOptions['config']> };

/** A server with a platform that has every endpoint which takes access tokens, and the list of all its routes. */
export const createDpopWorld = async (databaseUrl: string) => {
  const routes: Route[] = [];
  const onRoute = ({ method, url, config }: RouteOptions): void => {
    for (const each of [method].flat()) routes.push({ method: each, url, config: config ?? {} });
  };
  const world = await createWorld(databaseUrl, { onRoute });
  const { provisioning } = world.deps;

  const configure = async (more: object): Promise<PlatformId> => {
    const parsed = parsePlatformDocument({ ...documentJson, ...more });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const outcome = await configurePlatform(provisioning, by, parsed.document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return parsed.document.name as PlatformId;
  };
  await configure({});

  const register = async (more: Partial<Parameters<typeof registerClient>[2]> = {}) => {
    const outcome = await registerClient(provisioning, by, {
      platform: vault,
      clientId: null,
      kind: 'public',
      how: 'portal',
      name: 'A client',
      redirectUris: ['http://localhost:9999/back'],
      grantTypes: ['refresh_token', 'authorization_code'],
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves: [],
      roles: [],
      approval: 'approved',
      secret: null,
      ...more,
    });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return outcome;
  };
  const app = await register();
  // One for all: making an account hashes a password.
  const person = await world.account(vault, ['member']);

  const ask = async (options: InjectOptions): Promise<Answer> => {
    const response = await world.app.inject(options);
    return {
      status: response.statusCode,
      body: /^application\/(?:problem\+)?json/.test(String(response.headers['content-type'])) ? (response.json() as Json) : {},
      headers: response.headers,
      text: response.body,
    };
  };

  const post = (path: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    ask({
      method: 'POST',
      url: path,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: String(new URLSearchParams(fields)),
    });

  const tokenPath = `/${vault}/oauth/token`;

  return {
    ...world,
    routes: routes as readonly Route[],
    configure,
    register,
    client: app,
    ask,
    post,
    tokenUrl: origin + tokenPath,
    proofFor: (key: ProofKey, path: string, more: Omit<Parameters<ProofKey['proof']>[0], 'method' | 'url'> & { method?: string } = {}) =>
      key.proof({ method: 'POST', url: origin + path, ...more }),
    /** A token request; with a proof where one is given. */
    token: (fields: Readonly<Record<string, string>>, proof?: string, path = tokenPath): Promise<Answer> =>
      post(path, { client_id: app.clientId, ...fields }, proof === undefined ? {} : { dpop: proof }),
    /** A person's grant whose tokens are bound to a key, or to none. */
    granted: (of: { readonly jkt?: string; readonly scopes?: readonly string[]; readonly resource?: string } = {}) =>
      world.grant({ platform: vault, client: app.stream, clientId: app.clientId, account: person.id, scopes: ['openid', 'read'], ...of }),
    key: createProofKey,
  };
};

export type DpopWorld = Awaited<ReturnType<typeof createDpopWorld>>;
