import { createHash } from 'node:crypto';
import { randomToken } from '@grantlog/crypto';
import type { AccountId } from '@grantlog/domain';
import { parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { readEventsAfter } from '@grantlog/postgres';
import { configurePlatform, type NewClient, registerAccount, registerClient } from '@grantlog/provisioning';
import { createWorld, tenantJson } from '../../management/support/world.ts';

export const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;

type Fields = Readonly<Record<string, string>>;
export type Seen = { readonly status: number; readonly text: string; readonly location: URL | null; readonly hidden: Fields };
export type Person = { readonly id: AccountId; readonly email: string; readonly password: string };
export type App = { readonly clientId: string; readonly secret: string; readonly redirectUri: string };

const verifier = 'a-verifier-of-these-tests-which-is-long-enough-for-anybody';
const challenge = createHash('sha256').update(verifier).digest('base64url');

const decode = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
const hiddenOf = (page: string): Fields => {
  const [form = ''] = /<form[\s\S]*?<\/form>/.exec(page) ?? [];
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="([a-z_]+)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, decode(value)]),
  );
};

/** Whether a page asks for a decision. */
export const asks = ({ text }: Seen): boolean => text.includes('name="decision"');
export const answerOf = ({ location }: Seen): Fields => Object.fromEntries(location?.searchParams ?? []);
/** The claims of a JWT, unverified. */
export const claimsOf = (jwt: unknown): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(String(jwt).split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

/** A server with a platform of every OpenID scope, and people in front of browsers. */
export const openPeopleWorld = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);
  const { app, deps } = world;
  const { provisioning, log } = deps;

  const configure = async (name: string, more: object = {}): Promise<PlatformId> => {
    const parsed = parsePlatformDocument(
      tenantJson(name, {
        scopes: [
          { name: 'openid', description: 'Know which account is yours' },
          { name: 'profile', description: 'See your name' },
          { name: 'email', description: 'See your email address' },
          { name: 'offline_access', description: 'Stay connected' },
          { name: 'read', description: 'Read your things', default: true },
          { name: 'write', description: 'Change your things' },
        ],
        resources: ['one', 'two'].map((path) => ({ uri: `https://${name}.example/${path}`, name: path, scopes: ['read', 'write'] })),
        ...more,
      }),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const outcome = await configurePlatform(provisioning, by, parsed.document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return parsed.document.name as PlatformId;
  };
  const memo = await configure('memo');

  const client = async (change: Partial<NewClient> = {}): Promise<App> => {
    const settings: NewClient = {
      platform: memo,
      clientId: null,
      name: 'An App',
      kind: 'confidential',
      how: 'preset',
      redirectUris: ['https://app.example/cb'],
      grantTypes: ['authorization_code', 'refresh_token'],
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves: [],
      roles: [],
      approval: 'approved',
      secret: null,
      ...change,
    };
    const outcome = await registerClient(provisioning, by, settings);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { clientId: outcome.clientId, secret: outcome.secret ?? '', redirectUri: settings.redirectUris[0] ?? '' };
  };

  const person = async (platform = memo, change: { readonly emailVerified?: boolean } = {}): Promise<Person> => {
    const [email, password] = [`${randomToken(8).toLowerCase()}@people.example`, randomToken(12)];
    const outcome = await registerAccount(provisioning, by, { platform, email, displayName: 'Ada Person', password, roles: [], ...change });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { id: outcome.account, email, password };
  };

  const authorizePath = (of: App, change: Fields = {}): string =>
    `/oauth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: of.clientId,
      redirect_uri: of.redirectUri,
      scope: 'openid read',
      state: 'state-1',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...change,
    })}`;

  /** A browser at an address of its own, so that tests share no throttle. */
  const createBrowser = (platform: PlatformId = memo) => {
    const cookies: Record<string, string> = {};
    const part = (): number => Math.floor(Math.random() * 250);
    const remoteAddress = `10.${part()}.${part()}.${part()}`;
    const send = async (method: 'GET' | 'POST' | 'HEAD', path: string, form: Fields | null, headers: Fields = {}): Promise<Seen> => {
      const response = await app.inject({
        method,
        url: `/${platform}${path}`,
        remoteAddress,
        cookies,
        headers: { ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
        ...(form === null ? {} : { payload: new URLSearchParams(form).toString() }),
      });
      for (const { name, value } of response.cookies) cookies[name] = value;
      const { location } = response.headers;
      return {
        status: response.statusCode,
        text: decode(response.body),
        location: location === undefined ? null : new URL(location),
        hidden: hiddenOf(response.body),
      };
    };
    const browser = {
      cookies,
      send,
      visit: (of: App, change: Fields = {}, headers: Fields = {}) => send('GET', authorizePath(of, change), null, headers),
      signIn: (page: Seen, who: Person) => send('POST', '/sign-in', { ...page.hidden, email: who.email, password: who.password }),
      decide: (page: Seen, decision: 'allow' | 'deny', fields: Fields = {}) =>
        send('POST', '/consent', { ...page.hidden, decision, ...fields }),
    };
    return browser;
  };
  type Browser = ReturnType<typeof createBrowser>;

  /** A browser whose person has allowed a request in it. */
  const allowedIn = async (
    of: App,
    who: Person,
    change: Fields = {},
    at: PlatformId = memo,
  ): Promise<{ readonly browser: Browser; readonly code: string }> => {
    const browser = createBrowser(at);
    const page = await browser.signIn(await browser.visit(of, change), who);
    const { code } = answerOf(asks(page) ? await browser.decide(page, 'allow') : page);
    if (code === undefined) throw new Error(`nothing was allowed: ${page.text}`);
    return { browser, code };
  };

  const redeem = async (of: App, code: string | undefined, at: PlatformId = memo) => {
    const response = await app.inject({
      method: 'POST',
      url: `/${at}/oauth/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${btoa(`${of.clientId}:${of.secret}`)}` },
      payload: new URLSearchParams({
        grant_type: 'authorization_code',
        code: code ?? '',
        code_verifier: verifier,
        redirect_uri: of.redirectUri,
      }).toString(),
    });
    return { status: response.statusCode, body: response.json() as Readonly<Record<string, unknown>> };
  };

  /** What work has recorded. */
  const during = async <Result>(work: () => Promise<Result>, platform: PlatformId = memo) => {
    const before = await world.head(platform);
    const result = await work();
    const events = await readEventsAfter(deps.pool, { platform, after: before, limit: 500 });
    return { result, events, types: events.map(({ type }) => type) };
  };

  const userinfo = async (accessToken: unknown, at: PlatformId = memo) =>
    (await app.inject({ url: `/${at}/oauth/userinfo`, headers: { authorization: `Bearer ${String(accessToken)}` } })).json() as unknown;

  return { ...world, log, memo, configure, client, person, createBrowser, authorizePath, allowedIn, redeem, during, userinfo };
};

export type PeopleWorld = Awaited<ReturnType<typeof openPeopleWorld>>;
