import { randomToken, randomUuid, uuidv7 } from '@grantlog/crypto';
import type { AccountId, ClientStreamId, GrantId, GrantTerms, Issue } from '@grantlog/domain';
import { tokenExchangeGrant } from '@grantlog/domain';
import type { CommitId, NewEvent, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { type NewClient, registerClient } from '@grantlog/provisioning';
import { foldKeyRing, foldPlatform, platformStreams } from '../../../src/platforms/load-parties.ts';
import { tokensOf } from '../../../src/tokens/issue-tokens.ts';
import { createWorld, type Json } from '../../management/support/world.ts';
import { type Answer, by, createDevices } from '../../sessions/support/devices.ts';

type Fields = Readonly<Record<string, string>>;

/** A client, and how it shows itself. */
export type Party = { readonly clientId: string; readonly stream: ClientStreamId; readonly secret: string | null };

/** What a person allowed, and the access token of it. */
export type Allowed = { readonly id: GrantId; readonly token: string; readonly expiresAt: number };

export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
export const calendar = 'https://calendar.example/mcp';
export const mail = 'https://mail.example/api';
/** Its access tokens are JWTs. */
export const files = 'https://files.example/api';

const resources = [
  { uri: calendar, name: 'Calendar', scopes: ['read', 'write'] },
  { uri: mail, name: 'Mail', scopes: ['read', 'write'] },
  { uri: files, name: 'Files', scopes: ['read'], accessTokenFormat: 'jwt', accessTokenAlg: 'ES256' },
];
const scopes = [
  { name: 'openid', description: 'Know who you are' },
  { name: 'offline_access', description: 'Stay connected' },
  { name: 'read', description: 'Read', default: true },
  { name: 'write', description: 'Read and change', implies: ['read'] },
  { name: 'account', description: 'Your settings' },
];

/**
 * A server with a platform whose clients may exchange tokens: an assistant that a person uses, the servers of the calendar,
 * the mail and the files, and somebody with nothing to do with it.
 */
export const openDelegates = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);
  const { provisioning, log, keys } = world.deps;
  const devices = createDevices(world);
  const configure = (name: string, more: object = {}): Promise<PlatformId> =>
    devices.configure(name, {
      scopes,
      resources,
      grantTypes: ['client_credentials', 'refresh_token', 'authorization_code', tokenExchangeGrant],
      ...more,
    });
  const platform = await configure('agents');

  const client = async (of: Partial<NewClient> = {}): Promise<Party> => {
    const kind = of.kind ?? 'confidential';
    const outcome = await registerClient(provisioning, by, {
      platform,
      clientId: null,
      name: 'A client',
      kind,
      how: 'portal',
      redirectUris: [],
      grantTypes: kind === 'public' ? [tokenExchangeGrant] : [tokenExchangeGrant, 'client_credentials'],
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
  const person = (at: PlatformId = platform): Promise<AccountId> => world.account(at).then(({ id }) => id);

  /** What a person allowed a client, as a redeemed code leaves it. */
  const allow = async (of: {
    readonly to: Party;
    readonly account: AccountId | null;
    readonly at?: PlatformId;
    readonly scopes?: readonly string[];
    readonly resources?: readonly string[];
    readonly terms?: Partial<GrantTerms>;
    readonly issue?: Partial<Issue>;
    readonly seconds?: number;
    readonly context?: string;
  }): Promise<Allowed & { readonly refreshToken: string }> => {
    const at = of.at ?? platform;
    const id = uuidv7(Date.now()) as GrantId;
    const terms: GrantTerms = {
      flow: 'authorization_code',
      client: of.to.stream,
      clientId: of.to.clientId,
      account: of.account,
      session: null,
      signIn: null,
      scopes: of.scopes ?? ['openid', 'read', 'write'],
      resources: of.resources ?? [calendar, mail],
      authTime: null,
      tokenNonce: randomToken(32),
      ...of.terms,
    };
    const loaded = await log.load(at, platformStreams);
    const state = foldPlatform(loaded);
    if (state.status === 'none') throw new Error(`${at} is not there`);
    const opened = await keys.of(at, foldKeyRing(loaded));
    const seconds = Math.floor(loaded.now / 1000);
    const issue: Issue = {
      sequence: 1,
      issuedAt: loaded.now,
      accessExpiresAt: seconds + (of.seconds ?? 600),
      refreshExpiresAt: seconds + 6_000,
      scopes: terms.scopes.map((_, index) => index),
      resource: terms.resources.length === 0 ? null : 0,
      tokenKeyId: opened.mintingTokenKeyId,
      ...(of.context === undefined ? {} : { context: of.context }),
      ...of.issue,
    };
    const events: NewEvent[] = [{ type: 'grant.authorized', data: { ...terms, code: null, issue } }];
    if (of.context !== undefined) events.push({ type: 'grant.context_selected', data: { context: of.context } });
    await world.append(at, id, ...events);
    const source = { platform: at, document: state.document, issuer: `http://localhost:4000/${at}`, keys: opened, grantId: id, terms };
    const tokens = await tokensOf(source, issue, { idTokenAlg: 'RS256', nonce: null });
    return { id, token: tokens.accessToken, refreshToken: tokens.refreshToken ?? '', expiresAt: issue.accessExpiresAt };
  };

  const send = (party: Party, path: string, fields: Fields, at: PlatformId = platform): Promise<Answer> =>
    devices.send(
      `/${at}${path}`,
      party.secret === null ? { client_id: party.clientId, ...fields } : fields,
      party.secret === null ? {} : { authorization: `Basic ${btoa(`${party.clientId}:${party.secret}`)}` },
    );
  const exchange = (party: Party, subjectToken: string, fields: Fields = {}, at: PlatformId = platform): Promise<Answer> =>
    send(
      party,
      '/oauth/token',
      { grant_type: tokenExchangeGrant, subject_token: subjectToken, subject_token_type: accessTokenType, ...fields },
      at,
    );

  return {
    world,
    platform,
    configure,
    client,
    person,
    allow,
    send,
    exchange,
    /** The access token that an exchange gives. */
    passOn: async (party: Party, subjectToken: string, fields: Fields = {}): Promise<string> => {
      const { body } = await exchange(party, subjectToken, fields);
      if (typeof body['access_token'] !== 'string') throw new Error(JSON.stringify(body));
      return body['access_token'];
    },
    /** The same for several resources: the first is the token's, to the others it may be exchanged further. */
    passOnTo: async (party: Party, subjectToken: string, targets: readonly string[]): Promise<string> => {
      const form = new URLSearchParams({
        grant_type: tokenExchangeGrant,
        subject_token: subjectToken,
        subject_token_type: accessTokenType,
      });
      for (const target of targets) form.append('resource', target);
      const response = await world.app.inject({
        method: 'POST',
        url: `/${platform}/oauth/token`,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${btoa(`${party.clientId}:${party.secret}`)}`,
        },
        payload: String(form),
      });
      return String((response.json() as Json)['access_token']);
    },
    introspect: async (party: Party, token: string) => (await send(party, '/oauth/introspect', { token })).body,
    userinfo: async (token: string): Promise<number> => (await world.call(token, 'GET', `/${platform}/oauth/userinfo`)).status,
    /** What a client gets for itself. */
    own: async (party: Party, fields: Fields = {}): Promise<string> =>
      String((await send(party, '/oauth/token', { grant_type: 'client_credentials', scope: 'read', ...fields })).body['access_token']),
    /** One event more on a stream, as a command would record it. */
    happen: async (streamId: StreamId, event: NewEvent): Promise<void> => {
      const loaded = await log.load(platform, [{ streamId }]);
      const result = await log.append(platform, {
        commitId: randomUuid() as CommitId,
        writes: [{ streamId, expected: loaded.stream(streamId).version, events: [event] }],
        reads: [],
        actor: by.actor,
        correlationId: 'test',
      });
      if (result.outcome === 'conflict') throw new Error('somebody else changed the stream');
    },
    assistant: await client({ name: 'Assistant' }),
    calendarServer: await client({ name: 'Calendar server', serves: [calendar] }),
    mailServer: await client({ name: 'Mail server', serves: [mail] }),
    filesServer: await client({ name: 'Files server', serves: [files] }),
    outsider: await client({ name: 'Outsider' }),
  };
};

export type Delegates = Awaited<ReturnType<typeof openDelegates>>;
