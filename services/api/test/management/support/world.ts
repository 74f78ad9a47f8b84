import { randomToken, randomUuid, uuidv7 } from '@grantlog/crypto';
import type { AccountId, ClientStreamId, GrantId, GrantTerms, Issue, PlatformDocument } from '@grantlog/domain';
import { parsePlatformDocument, systemPlatform } from '@grantlog/domain';
import type { CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { createDatabase, migrate } from '@grantlog/postgres';
import { type By, configurePlatform, registerAccount, registerClient } from '@grantlog/provisioning';
import { createLogger, type ServiceConfig } from '@grantlog/runtime';
import type { InjectOptions, LightMyRequestResponse, RouteOptions } from 'fastify';
import { createApp } from '../../../src/app.ts';
import { compose } from '../../../src/compose.ts';
import { foldKeyRing, foldPlatform, platformStreams } from '../../../src/platforms/load-parties.ts';
import { tokensOf } from '../../../src/tokens/issue-tokens.ts';
import { testConfig } from '../../support/config.ts';

const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

const publicUrl = 'http://localhost:4000';

const documentOf = (json: object): PlatformDocument => {
  const parsed = parsePlatformDocument(json);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};

/** A platform document as an operator writes it. */
export const tenantJson = (name: string, more: object = {}) => ({
  name,
  displayName: `The ${name} platform`,
  scopes: [{ name: 'read', description: 'Read your things', default: true }],
  resources: [{ uri: `https://${name}.example/api`, name: 'The API', scopes: ['read'] }],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  roles: ['member'],
  ...more,
});

const systemJson = {
  name: 'system',
  displayName: 'Operators',
  scopes: [
    { name: 'manage', description: 'Manage' },
    { name: 'audit', description: 'Read the audit trail' },
  ],
  resources: [
    { uri: 'https://elsewhere.example', name: 'Something else', scopes: ['manage'] },
    { uri: `${publicUrl}/system/manage`, name: 'Management', scopes: ['manage'] },
  ],
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  roles: ['operator', 'auditor'],
};

export type Json = Readonly<Record<string, unknown>>;
export type Answer = {
  readonly status: number;
  readonly body: Json;
  readonly headers: LightMyRequestResponse['headers'];
  readonly text: string;
};

/** A server on a database of its own, with the system platform and two tenants. */
export const createWorld = async (
  databaseUrl: string,
  settings: Partial<Pick<ServiceConfig, 'isDevelopment' | 'egressAllow' | 'egressCa' | 'trustProxy'>> & {
    readonly onRoute?: (route: RouteOptions) => void;
    readonly onLine?: (line: string) => void;
  } = {},
) => {
  const url = await createDatabase({ connectionString: databaseUrl, name: `api_${randomUuid().replaceAll('-', '')}` });
  await migrate({ connectionString: url });
  const { onRoute, onLine, ...change } = settings;
  const config = testConfig(url, { publicUrl, logLevel: 'silent', ...change });
  const logger = createLogger(
    onLine === undefined ? { service: 'api', level: 'silent' } : { service: 'api', level: 'debug', destination: { write: onLine } },
  );
  const deps = await compose(config, logger);
  const app = await createApp({ ...deps, logger, ...(onRoute === undefined ? {} : { onRoute }) });
  const { provisioning, log } = deps;

  const configure = async (json: object): Promise<PlatformId> => {
    const document = documentOf(json);
    const outcome = await configurePlatform(provisioning, by, document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return document.name as PlatformId;
  };
  await configure(systemJson);
  const arlo = await configure(tenantJson('arlo', { webhooks: { allowLoopback: true } }));
  const along = await configure(tenantJson('along'));

  const call = async (token: string | null, method: InjectOptions['method'], path: string, payload?: unknown): Promise<Answer> => {
    const response = await app.inject({
      method: method ?? 'GET',
      url: path,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(payload === undefined ? {} : { payload: payload as object }),
    });
    return {
      status: response.statusCode,
      body: response.body === '' ? {} : (response.json() as Json),
      headers: response.headers,
      text: response.body,
    };
  };

  /** A confidential client of a platform that acts by itself. */
  const machine = async (roles: readonly string[], at: { readonly platform?: PlatformId } = {}) => {
    const platform = at.platform ?? systemPlatform;
    const outcome = await registerClient(provisioning, by, {
      platform,
      clientId: null,
      kind: 'confidential',
      how: 'portal',
      name: 'A machine',
      redirectUris: [],
      grantTypes: ['client_credentials'],
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves: [],
      roles,
      approval: 'approved',
      secret: null,
    });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    const token = async (parameters: Readonly<Record<string, string>>): Promise<string> => {
      const response = await app.inject({
        method: 'POST',
        url: `/${platform}/oauth/token`,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${btoa(`${outcome.clientId}:${outcome.secret}`)}`,
        },
        payload: new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString(),
      });
      const body = response.json() as Json;
      if (typeof body['access_token'] !== 'string') throw new Error(response.body);
      return body['access_token'];
    };
    return { clientId: outcome.clientId, stream: outcome.stream, token };
  };
  const operator = async (...roles: readonly string[]): Promise<string> => (await machine(roles)).token({ scope: 'manage' });

  const append = async (platform: PlatformId, streamId: StreamId, ...events: readonly NewEvent[]): Promise<number> => {
    const result = await log.append(platform, {
      commitId: randomUuid() as CommitId,
      writes: [{ streamId, expected: 0, events }],
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    });
    if (result.outcome === 'conflict') throw new Error(`${streamId} is not new`);
    return result.position;
  };

  /** A grant in use, as a redeemed code leaves it, and its tokens. */
  const grant = async (of: {
    readonly platform: PlatformId;
    readonly client: ClientStreamId;
    readonly clientId: string;
    readonly account: AccountId | null;
    readonly scopes?: readonly string[];
    /** Which its tokens are for. */
    readonly resource?: string;
    /** Thumbprint of the key that its tokens are bound to. */
    readonly jkt?: string;
  }) => {
    const id = uuidv7(Date.now()) as GrantId;
    const terms: GrantTerms = {
      flow: 'authorization_code',
      client: of.client,
      clientId: of.clientId,
      account: of.account,
      session: null,
      signIn: null,
      scopes: of.scopes ?? ['manage'],
      resources: of.resource === undefined ? [] : [of.resource],
      authTime: null,
      tokenNonce: randomToken(32),
    };
    const loaded = await log.load(of.platform, platformStreams);
    const state = foldPlatform(loaded);
    if (state.status === 'none') throw new Error(`${of.platform} is not there`);
    const keys = await deps.keys.of(of.platform, foldKeyRing(loaded));
    const seconds = Math.floor(loaded.now / 1000);
    const issue: Issue = {
      sequence: 1,
      issuedAt: loaded.now,
      accessExpiresAt: seconds + 600,
      refreshExpiresAt: seconds + 6_000,
      scopes: terms.scopes.map((_, index) => index),
      resource: of.resource === undefined ? null : 0,
      tokenKeyId: keys.mintingTokenKeyId,
      ...(of.jkt === undefined ? {} : { jkt: of.jkt }),
    };
    const position = await append(of.platform, id, { type: 'grant.authorized', data: { ...terms, code: null, issue } });
    const source = { platform: of.platform, document: state.document, issuer: publicUrl, keys, grantId: id, terms };
    const tokens = await tokensOf(source, issue, { idTokenAlg: 'RS256', nonce: null });
    return { id, terms, position, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken ?? '' };
  };

  const account = async (
    platform: PlatformId,
    roles: readonly string[] = [],
  ): Promise<{ readonly id: AccountId; readonly email: string }> => {
    const email = `${randomToken(8).toLowerCase()}@example.com`;
    const outcome = await registerAccount(provisioning, by, { platform, email, displayName: 'A Person', password: randomToken(12), roles });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { id: outcome.account, email };
  };

  return {
    app,
    deps,
    arlo,
    along,
    call,
    machine,
    operator,
    grant,
    account,
    append,
    databaseUrl: url,
    /** Everything that the log holds of every platform, as one text. */
    everything: async (): Promise<string> => {
      const { rows } = await deps.pool.query<{ text: string }>(
        `select coalesce(string_agg(e.data::text || e.actor::text || encode(coalesce(e.personal, ''), 'escape') || e.correlation_id, E'\\n'), '') as text from event e`,
      );
      return rows[0]?.text ?? '';
    },
    head: async (platform: PlatformId): Promise<number> => {
      const { rows } = await deps.pool.query<{ head: number }>('select max(position) as head from event where platform = $1', [platform]);
      return rows[0]?.head ?? 0;
    },
    close: async (): Promise<void> => {
      await app.close();
      await deps.stop();
    },
  };
};

export type World = Awaited<ReturnType<typeof createWorld>>;
