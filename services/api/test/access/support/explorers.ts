import { randomToken, uuidv7 } from '@grantlog/crypto';
import type { AccountId, AccountKind, GrantId, GrantTerms, Issue } from '@grantlog/domain';
import { parsePlatformDocument } from '@grantlog/domain';
import type { CommitId, NewEvent, PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter } from '@grantlog/postgres';
import { type By, configurePlatform, registerAccount, registerClient } from '@grantlog/provisioning';
import { foldKeyRing, foldPlatform, platformStreams } from '../../../src/platforms/load-parties.ts';
import { tokensOf } from '../../../src/tokens/issue-tokens.ts';
import type { World } from '../../management/support/world.ts';
import { tenantJson } from '../../management/support/world.ts';

const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export type Person = { readonly id: AccountId; readonly email: string; readonly password: string };

export const resourceOf = (name: string): string => `https://${name}.example/api`;

/** Platforms that take HTTP Basic, their accounts and the clients that ask about them. */
export const createExplorers = (world: World) => {
  const { provisioning, log, pool } = world.deps;
  const configure = async (name: string, more: object = {}): Promise<PlatformId> => {
    const json = tenantJson(name, {
      scopes: [
        { name: 'read', description: 'Read', default: true },
        { name: 'account', description: 'Your settings' },
        { name: 'developer', description: 'Your apps' },
      ],
      roles: ['api_user', 'administrator', 'presenter'],
      switches: { basicForExploration: true },
      documentation: 'https://docs.example/oauth',
      ...more,
    });
    const parsed = parsePlatformDocument(json);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const outcome = await configurePlatform(provisioning, by, parsed.document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return name as PlatformId;
  };
  const person = async (
    platform: PlatformId,
    options: { readonly roles?: readonly string[]; readonly kind?: AccountKind } = {},
  ): Promise<Person> => {
    const [email, password] = [`${randomToken(8).toLowerCase()}@example.com`, randomToken(12)];
    const { roles = [], kind = 'person' } = options;
    const outcome = await registerAccount(provisioning, by, { platform, email, displayName: 'A Person', password, roles, kind });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { id: outcome.account, email, password };
  };
  const server = async (
    platform: PlatformId,
    serves: readonly string[] = [resourceOf(platform)],
  ): Promise<{ readonly authorization: string }> => {
    const outcome = await registerClient(provisioning, by, {
      platform,
      clientId: null,
      kind: 'confidential',
      how: 'portal',
      name: 'A resource server',
      redirectUris: [],
      grantTypes: ['client_credentials'],
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves,
      roles: [],
      approval: 'approved',
      secret: null,
    });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { authorization: `Basic ${btoa(`${outcome.clientId}:${outcome.secret}`)}` };
  };
  /** Asks whether credentials are good, as a resource server does. */
  const ask = async (
    platform: PlatformId,
    caller: { readonly authorization: string },
    who: Pick<Person, 'email' | 'password'>,
    more: Readonly<Record<string, string>> = {},
  ) => {
    const response = await world.app.inject({
      method: 'POST',
      url: `/${platform}/oauth/basicvalidation`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...caller },
      payload: new URLSearchParams({
        username: who.email,
        password: who.password,
        resource: resourceOf(platform),
        client_address: '203.0.113.1',
        ...more,
      }).toString(),
    });
    return { status: response.statusCode, body: response.json() as Readonly<Record<string, unknown>>, headers: response.headers };
  };
  /** One event more on an account, as a command would record it. */
  const happen = async (platform: PlatformId, account: AccountId, event: NewEvent): Promise<void> => {
    const loaded = await log.load(platform, [{ streamId: account }]);
    const result = await log.append(platform, {
      commitId: crypto.randomUUID() as CommitId,
      writes: [{ streamId: account, expected: loaded.stream(account).version, events: [event] }],
      reads: [],
      actor: by.actor,
      correlationId: 'test',
    });
    if (result.outcome === 'conflict') throw new Error('somebody else changed the account');
  };
  /** An access token of a person for one resource, as a redeemed code gives it. */
  const token = async (platform: PlatformId, account: AccountId, of: { readonly scopes: readonly string[]; readonly resource: string }) => {
    const { clientId, stream } = await world.machine([], { platform });
    const id = uuidv7(Date.now()) as GrantId;
    const terms: GrantTerms = {
      flow: 'authorization_code',
      client: stream,
      clientId,
      account,
      session: null,
      signIn: null,
      scopes: of.scopes,
      resources: [of.resource],
      authTime: null,
      tokenNonce: randomToken(32),
    };
    const loaded = await log.load(platform, platformStreams);
    const state = foldPlatform(loaded);
    if (state.status === 'none') throw new Error(`${platform} is not there`);
    const keys = await world.deps.keys.of(platform, foldKeyRing(loaded));
    const seconds = Math.floor(loaded.now / 1000);
    const issue: Issue = {
      sequence: 1,
      issuedAt: loaded.now,
      accessExpiresAt: seconds + 600,
      refreshExpiresAt: seconds + 6_000,
      scopes: terms.scopes.map((_, index) => index),
      resource: 0,
      tokenKeyId: keys.mintingTokenKeyId,
    };
    await world.append(platform, id, { type: 'grant.authorized', data: { ...terms, code: null, issue } });
    const source = { platform, document: state.document, issuer: `http://localhost:4000/${platform}`, keys, grantId: id, terms };
    return tokensOf(source, issue, { idTokenAlg: 'RS256', nonce: null });
  };
  /** The attempts to sign in that a platform has recorded, the first first. */
  const attempts = async (platform: PlatformId) => {
    const events = await readEventsAfter(pool, { platform, after: 0, limit: 10_000 });
    return events.filter(({ type }) => type.startsWith('sign_in.'));
  };
  /** What a browser does with the form; it keeps its cookies. */
  const browser = (platform: PlatformId, address = '127.0.0.1') => {
    const cookies = new Map<string, string>();
    const keep = (sent: readonly { readonly name: string; readonly value: string }[]): void => {
      for (const { name, value } of sent) cookies.set(name, value);
    };
    return {
      cookies,
      signIn: async (who: Pick<Person, 'email' | 'password'>, from = address) => {
        const page = await world.app.inject({ url: `/${platform}/sign-in`, cookies: Object.fromEntries(cookies) });
        keep(page.cookies);
        const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
        const response = await world.app.inject({
          method: 'POST',
          url: `/${platform}/sign-in`,
          remoteAddress: from,
          headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'a browser of the test' },
          cookies: Object.fromEntries(cookies),
          payload: new URLSearchParams({ csrf, email: who.email, password: who.password }).toString(),
        });
        keep(response.cookies);
        return {
          status: response.statusCode,
          body: response.body.replaceAll(csrf, 'CSRF').replaceAll(/nonce="[^"]+"/g, 'nonce'),
          headers: response.headers,
        };
      },
    };
  };
  return { configure, person, server, ask, happen, token, attempts, browser };
};

export type Explorers = ReturnType<typeof createExplorers>;
