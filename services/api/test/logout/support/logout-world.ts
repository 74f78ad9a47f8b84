import { randomToken, signJwt } from '@grantlog/crypto';
import { type AccountId, type ClientId, parsePlatformDocument, type SignInId } from '@grantlog/domain';
import { execute, type Loaded, type NewEvent, type PlatformId, type RecordedEvent } from '@grantlog/eventsourcing';
import { readEventsAfter } from '@grantlog/postgres';
import { type By, commitOn, configurePlatform, type NewClient, registerAccount, registerClient } from '@grantlog/provisioning';
import { foldKeyRing, platformStreams } from '../../../src/platforms/load-parties.ts';
import { createWorld, tenantJson } from '../../management/support/world.ts';

const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

type Fields = Readonly<Record<string, string>>;
export type Person = { readonly id: AccountId; readonly email: string; readonly password: string };
export type Seen = {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly hidden: Fields;
};

const decode = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
const hiddenOf = (page: string): Fields =>
  Object.fromEntries(
    [...page.matchAll(/<input type="hidden" name="([a-z_]+)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, decode(value)]),
  );

/** Where the app of these tests wants people to be sent back to. */
export const returnUri = 'https://app.example/signed-out?from=grantlog';

/** Two platforms with OpenID, apps that sign people out, and browsers. */
export const openLogoutWorld = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);
  const { deps, app } = world;

  const configure = async (name: string): Promise<PlatformId> => {
    const scopes = [
      { name: 'openid', description: 'Know which account is yours', default: true },
      { name: 'read', description: 'Read your things', default: true },
    ];
    const parsed = parsePlatformDocument(tenantJson(name, { scopes, registration: { policy: ['preset', 'open'] } }));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    await configurePlatform(deps.provisioning, by, parsed.document);
    return parsed.document.name as PlatformId;
  };
  const [shop, other] = [await configure('shop'), await configure('other')];

  const account = async (platform = shop): Promise<Person> => {
    const [email, password] = [`${randomToken(8).toLowerCase()}@people.example`, randomToken(12)];
    const made = await registerAccount(deps.provisioning, by, { platform, email, displayName: 'A Person', password, roles: [] });
    if (made.kind === 'refused') throw new Error(made.refusal);
    return { id: made.account, email, password };
  };
  const client = async (change: Partial<NewClient> = {}): Promise<ClientId> => {
    const made = await registerClient(deps.provisioning, by, {
      platform: shop,
      clientId: null,
      name: 'The app',
      kind: 'public',
      how: 'preset',
      redirectUris: ['https://app.example/cb'],
      grantTypes: ['authorization_code'],
      scopes: null,
      authMethods: null,
      idTokenAlg: null,
      serves: [],
      roles: [],
      approval: 'approved',
      secret: null,
      extras: { postLogoutRedirectUris: [returnUri] },
      ...change,
    });
    if (made.kind === 'refused') throw new Error(made.refusal);
    return made.clientId;
  };

  /** An ID token as the token endpoint would have made it; `change` says what is different. */
  const idToken = async (
    of: { readonly clientId: string; readonly account: string; readonly signIn?: SignInId | undefined; readonly platform?: PlatformId },
    change: { readonly claims?: object; readonly typ?: string } = {},
  ): Promise<string> => {
    const { platform = shop } = of;
    const keys = await deps.keys.of(platform, foldKeyRing(await deps.log.load(platform, platformStreams)));
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: `${deps.config.publicUrl}/${platform}`,
      sub: of.account,
      aud: of.clientId,
      iat: now,
      exp: now + 600,
      ...(of.signIn === undefined ? {} : { sid: of.signIn }),
      ...change.claims,
    };
    return signJwt({ key: keys.signingKey('RS256'), typ: change.typ ?? 'JWT', claims });
  };

  /** A browser at an address of its own, so that tests share no throttle. */
  const createBrowser = (platform: PlatformId = shop) => {
    const cookies = new Map<string, string>();
    const part = (): number => Math.floor(Math.random() * 250);
    const remoteAddress = `10.${part()}.${part()}.${part()}`;
    const send = async (
      path: string,
      form: Fields | null,
      headers: Fields = {},
      withCookies = true,
      method: 'GET' | 'HEAD' | 'POST' = form === null ? 'GET' : 'POST',
    ): Promise<Seen> => {
      const response = await app.inject({
        method,
        url: path,
        remoteAddress,
        cookies: withCookies ? Object.fromEntries(cookies) : {},
        headers: { ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
        ...(form === null ? {} : { payload: new URLSearchParams(form).toString() }),
      });
      for (const { name, value, maxAge } of response.cookies) {
        if (maxAge === 0) cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = decode(response.body);
      return {
        status: response.statusCode,
        text,
        location: response.headers.location,
        headers: response.headers,
        hidden: hiddenOf(response.body),
      };
    };
    return {
      cookies,
      open: (path: string, query: Fields = {}) => send(`/${platform}${path}?${new URLSearchParams(query)}`, null),
      head: (path: string, query: Fields = {}) => send(`/${platform}${path}?${new URLSearchParams(query)}`, null, {}, true, 'HEAD'),
      follow: (url: string | undefined) => send(url ?? '', null),
      post: (path: string, form: Fields, headers: Fields = {}) => send(`/${platform}${path}`, form, headers),
      /** A form of another site: `SameSite=Lax` cookies stay at home. */
      postFromElsewhere: (
        path: string,
        form: Fields,
        headers: Fields = { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' },
      ) => send(`/${platform}${path}`, form, headers, false),
      id: (): string => [...cookies].find(([name]) => name.endsWith('-browser'))?.[1] ?? '',
      isSignedIn: () => [...cookies.keys()].some((name) => name.endsWith('-sign-in')),
    };
  };
  type Browser = ReturnType<typeof createBrowser>;

  /** What work has recorded. */
  const during = async <Result>(work: () => Promise<Result>, platform = shop) => {
    const before = await world.head(platform);
    const result = await work();
    const events: readonly RecordedEvent[] = await readEventsAfter(deps.pool, { platform, after: before, limit: 500 });
    return { result, events, types: events.map(({ type }) => type) };
  };
  /** Signs a person in, in this browser or a new one. */
  const signIn = async (person: Person, browser: Browser = createBrowser()) => {
    const { events } = await during(async () => {
      const form = await browser.open('/sign-in');
      return browser.post('/sign-in', { ...form.hidden, email: person.email, password: person.password });
    });
    const made = events.find(({ type }) => type === 'sign_in.succeeded');
    if (made === undefined) throw new Error('nobody was signed in');
    return { browser, id: made.streamId as SignInId };
  };

  return {
    ...world,
    shop,
    other,
    account,
    client,
    idToken,
    createBrowser,
    signIn,
    during,
    /** Something happens to an app, as an operator would have it. */
    change: async (clientId: string, event: NewEvent): Promise<void> => {
      const streamId = (await deps.directory.open(shop))?.client(clientId);
      if (streamId === undefined) throw new Error('the platform is not there');
      const decide = (loaded: Loaded) => ({ commit: commitOn(loaded, by, { writes: [{ streamId, events: [event] }] }), outcome: null });
      await execute({ log: deps.log, platform: shop, requests: [{ streamId }], decide });
    },
    /** Whether a browser is still taken for the person who signed in there. */
    isKnown: async (browser: Browser): Promise<boolean> => (await browser.open('/security')).text.includes('/sign-out'),
  };
};

export type LogoutWorld = Awaited<ReturnType<typeof openLogoutWorld>>;
