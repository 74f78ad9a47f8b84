import { randomUUID } from 'node:crypto';
import type { AccountId, ClientStreamId, PlatformGrantType } from '@grantlog/domain';
import { jwtBearerGrant } from '@grantlog/domain';
import type { NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { type NewClient, registerAccount, registerClient } from '@grantlog/provisioning';
import { createAuthority } from '../../../../../test/support/certificates.ts';
import type { ProofKey } from '../../../../../test/support/proof-key.ts';
import { openSite } from '../../../../../test/support/site.ts';
import { makeKey, signed, type TestKey } from '../../client-assertion/support/keyed-clients.ts';
import { createWorld, type Json } from '../../management/support/world.ts';
import { type Answer, by, createDevices } from '../../sessions/support/devices.ts';

type Fields = Readonly<Record<string, string>>;

export type Employee = { readonly sub: string; readonly email: string };
export type Agent = { readonly clientId: string; readonly stream: ClientStreamId; readonly secret: string | null };

export const vault = 'https://vault.example/mcp';
export const archive = 'https://archive.example/mcp';
export const mailDomain = 'corp.example';

export const employee = (): Employee => {
  const sub = randomUUID();
  return { sub, email: `${sub}@${mailDomain}` };
};

/** A server whose platforms trust the identity provider of a company, and agents that the provider knows. */
export const openEnterprise = async (databaseUrl: string) => {
  const authority = createAuthority();
  const site = await openSite(authority);
  const world = await createWorld(databaseUrl, { egressAllow: [site.destination], egressCa: authority.pem });
  const devices = createDevices(world);
  const { provisioning, log } = world.deps;
  const key = makeKey('ES256');
  const publish = (keys: readonly TestKey[]): void =>
    site.answer(
      '/keys',
      (_request, reply) =>
        void reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })),
    );
  publish([key]);
  const issuer = site.origin;
  const trusted = { issuer, jwksUri: `${site.origin}/keys`, emailDomains: [mailDomain], createAccounts: true };

  const configure = (name: string, more: object = {}): Promise<PlatformId> =>
    devices.configure(name, {
      scopes: [
        { name: 'openid', description: 'Know who you are' },
        { name: 'offline_access', description: 'Stay connected' },
        { name: 'vault:read', description: 'Read', default: true },
        { name: 'vault:write', description: 'Change' },
        { name: 'account', description: 'Your settings' },
      ],
      resources: [{ uri: vault, name: 'Vault', scopes: ['vault:read', 'vault:write'] }],
      grantTypes: ['authorization_code', 'refresh_token', jwtBearerGrant],
      trustedIssuers: [trusted],
      ...more,
    });
  const platform = await configure('company');

  const agent = async (of: Partial<NewClient> = {}): Promise<Agent> => {
    const grantTypes: readonly PlatformGrantType[] = [jwtBearerGrant];
    const outcome = await registerClient(provisioning, by, {
      platform,
      clientId: null,
      name: 'An agent',
      kind: 'confidential',
      how: 'portal',
      redirectUris: [],
      grantTypes,
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves: [],
      roles: [],
      approval: 'approved',
      secret: null,
      ...of,
    });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { clientId: outcome.clientId, stream: outcome.stream, secret: outcome.secret };
  };
  const ours = await agent();
  const server = await agent({ serves: [vault] });

  const claimsOf = (person: Employee, change: Json = {}): Json => {
    const seconds = Math.floor(Date.now() / 1000);
    return {
      iss: issuer,
      aud: `http://localhost:4000/${platform}`,
      client_id: ours.clientId,
      jti: randomUUID(),
      iat: seconds,
      exp: seconds + 300,
      resource: vault,
      scope: 'vault:read vault:write',
      ...person,
      ...change,
    };
  };
  /** What the provider signs for an agent about one of its people. */
  const assertion = (person: Employee, change: Json = {}, header: object = {}, by_: TestKey = key): string =>
    signed(by_, claimsOf(person, change), { typ: 'oauth-id-jag+jwt', ...header });

  const send = async (of: {
    readonly form: Fields;
    readonly by?: Agent;
    readonly at?: PlatformId;
    readonly path?: string;
    readonly key?: ProofKey;
  }): Promise<Answer> => {
    const { clientId, secret } = of.by ?? ours;
    const path = `/${of.at ?? platform}${of.path ?? '/oauth/token'}`;
    return devices.send(path, secret === null ? { client_id: clientId, ...of.form } : of.form, {
      ...(secret === null ? {} : { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` }),
      ...(of.key === undefined ? {} : { dpop: of.key.proof({ method: 'POST', url: `http://localhost:4000${path}` }) }),
    });
  };

  return {
    world,
    site,
    issuer,
    trusted,
    platform,
    key,
    publish,
    configure,
    agent,
    ours,
    server,
    assertion,
    claimsOf,
    /** What a client gets for an assertion. */
    show: (shown: string, fields: Fields = {}, more: Omit<Parameters<typeof send>[0], 'form'> = {}): Promise<Answer> =>
      send({ form: { grant_type: jwtBearerGrant, assertion: shown, ...fields }, ...more }),
    introspect: async (token: unknown): Promise<Json> =>
      (await send({ form: { token: String(token) }, by: server, path: '/oauth/introspect' })).body,
    /** An account that was there before its person came by the provider. */
    account: async (of: {
      readonly email: string;
      readonly verified?: boolean;
      readonly kind?: 'person' | 'integration';
    }): Promise<AccountId> => {
      const outcome = await registerAccount(provisioning, by, {
        platform,
        email: of.email,
        displayName: 'Somebody',
        password: randomUUID(),
        roles: [],
        emailVerified: of.verified ?? true,
        kind: of.kind ?? 'person',
      });
      if (outcome.kind === 'refused') throw new Error(outcome.refusal);
      return outcome.account;
    },
    /** One event more on a stream, as a command would record it. */
    happen: async (streamId: StreamId, event: NewEvent): Promise<void> => {
      const loaded = await log.load(platform, [{ streamId }]);
      await log.append(platform, {
        commitId: randomUUID() as never,
        writes: [{ streamId, expected: loaded.stream(streamId).version, events: [event] }],
        reads: [],
        actor: by.actor,
        correlationId: 'test',
      });
    },
    /** What has been recorded above a position. */
    typesAfter: async (position: number): Promise<readonly string[]> =>
      (await devices.eventsAfter(platform, position)).map(({ type }) => type),
    close: async (): Promise<void> => {
      await world.close();
      await site.goDown();
    },
  };
};

export type Enterprise = Awaited<ReturnType<typeof openEnterprise>>;
