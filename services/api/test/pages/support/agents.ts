import { randomToken, randomUuid, uuidv7 } from '@grantlog/crypto';
import type { GrantState, SessionId, SessionTerms, SessionVia } from '@grantlog/domain';
import { deviceCodeGrant, parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { listMail, readEventsAfter } from '@grantlog/postgres';
import { configurePlatform, openMail, registerAccount, sessionGrant } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import { createApp } from '../../../src/app.ts';
import type { Deps } from '../../../src/deps.ts';
import { foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../../../src/platforms/load-parties.ts';
import { sessionTokenOf } from '../../../src/sessions/session-tokens.ts';
import { startSession } from '../../../src/sessions/start-session.ts';
import { createWorld, tenantJson } from '../../management/support/world.ts';

export const by = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' } as const;

type Fields = Readonly<Record<string, string>>;
export type Seen = { readonly status: number; readonly text: string; readonly location: string | undefined; readonly hidden: Fields };

const decode = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
/** The hidden inputs of the first form of a page. */
const hiddenOf = (page: string): Fields => {
  const [form = ''] = /<form[\s\S]*?<\/form>/.exec(page) ?? [];
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="([a-z_]+)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, decode(value)]),
  );
};

/** The numbers that a page offers, in its order. */
export const offeredBy = ({ text }: Seen): readonly number[] =>
  [...text.matchAll(/name="number" value="(\d+)"/g)].map(([, number]) => Number(number));

/**
 * A server whose platforms let agents bring people in, and whose log lines a test may read.
 *
 * @param settings of the server besides those of every test.
 * @param replace parts that it is built from, in place of its own.
 */
export const openAgentWorld = async (
  databaseUrl: string,
  settings: Parameters<typeof createWorld>[1] = {},
  replace: (deps: Deps) => Partial<Deps> = () => ({}),
) => {
  const world = await createWorld(databaseUrl, settings);
  const lines: string[] = [];
  const logger = createLogger({ service: 'api', level: 'trace', destination: { write: (line: string) => void lines.push(line) } });
  const app = await createApp({ ...world.deps, ...replace(world.deps), logger });
  const { deps } = world;
  const { provisioning, log } = deps;

  const configure = async (name: string, more: object = {}): Promise<PlatformId> => {
    const parsed = parsePlatformDocument(
      tenantJson(name, {
        scopes: [
          { name: 'openid', description: 'Know which account is yours', default: true },
          { name: 'read', description: 'Read your things', default: true },
          { name: 'write', description: 'Change your things' },
        ],
        grantTypes: ['authorization_code', 'refresh_token', deviceCodeGrant],
        presetClients: [
          { clientId: 'unidentified-agent', name: 'Unidentified agent', type: 'public', grantTypes: [deviceCodeGrant, 'refresh_token'] },
        ],
        agentSignUp: { unidentifiedClient: 'unidentified-agent' },
        signIn: { registration: 'open', mfa: 'optional' },
        webhooks: { allowLoopback: true },
        ...more,
      }),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const outcome = await configurePlatform(provisioning, by, parsed.document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return parsed.document.name as PlatformId;
  };
  const agents = await configure('agents');

  const namesOf = async (platform: PlatformId) => {
    const names = await deps.directory.open(platform);
    if (names === null) throw new Error(`${platform} is not there`);
    return names;
  };

  /** A session that an agent has begun, with a webhook where a URL is given. */
  const begin = async (
    of: { readonly platform?: PlatformId; readonly via?: SessionVia; readonly webhookUrl?: string; readonly userAgent?: string } = {},
  ) => {
    const { platform = agents, via = 'init_signup', webhookUrl, userAgent = 'curl/8.9' } = of;
    const names = await namesOf(platform);
    const endpointOf = (session: SessionId) => names.sessionWebhook(session, 'main');
    const started = await startSession(
      deps,
      names,
      {
        via,
        clientId: 'unidentified-agent',
        scope: undefined,
        resources: [],
        codeChallenge: null,
        from: { address: '203.0.113.7', userAgent },
        withUserCode: via === 'device_authorization',
        correlationId: 'test',
      },
      async (session) => {
        if (webhookUrl === undefined) return { requests: [], decide: () => ({ writes: [], ofSession: [] }) };
        const endpoint = endpointOf(session);
        const settings = { url: webhookUrl, types: null, ordered: true, concurrency: 1, description: '' };
        const data = { ...settings, client: null, session, secretCredentials: [randomUuid()], signature: 'v1' };
        return {
          requests: [endpoint],
          decide: () => ({
            writes: [{ streamId: endpoint, events: [{ type: 'webhook_endpoint.registered', data }] }],
            ofSession: [{ type: 'session.webhook_registered', data: { endpoint } }],
          }),
        };
      },
    );
    return { ...started, platform, path: `/connect/${started.link}`, endpoint: endpointOf(started.id) };
  };

  /** A session whose time has run out, and which nothing has recorded as expired yet. */
  const beginLong = async () => {
    const session = uuidv7(Date.now()) as SessionId;
    const { client } = await namesOf(agents);
    const loaded = await log.load(agents, platformStreams);
    const [platformState, keys] = [foldPlatform(loaded), await deps.keys.of(agents, foldKeyRing(loaded))];
    if (platformState.status === 'none') throw new Error('the platform is not there');
    const terms: SessionTerms = {
      client: client('unidentified-agent'),
      clientId: 'unidentified-agent',
      via: 'init_signup',
      scopes: ['read'],
      resources: [],
      codeChallenge: null,
      expiresAt: Math.floor(loaded.now / 1000) - 1,
      intervalSeconds: 5,
      tokenKeyId: keys.mintingTokenKeyId,
      tokenNonce: randomToken(32),
    };
    await world.append(agents, session, { type: 'session.started', data: terms });
    return { id: session, path: `/connect/${sessionTokenOf({ platform: agents, keys, session, terms }, 'link', platformState.document)}` };
  };

  const account = async (platform = agents) => {
    const [email, password] = [`${randomToken(8).toLowerCase()}@people.example`, randomToken(12)];
    const outcome = await registerAccount(provisioning, by, { platform, email, displayName: 'A Person', password, roles: [] });
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return { id: outcome.account, email, password };
  };

  /** A browser at an address of its own, so that tests share no throttle. */
  const createBrowser = (platform: PlatformId = agents) => {
    const cookies: Record<string, string> = {};
    const part = (): number => Math.floor(Math.random() * 250);
    const remoteAddress = `10.${part()}.${part()}.${part()}`;
    const send = async (path: string, form: Fields | null, headers: Fields = {}): Promise<Seen> => {
      const response = await app.inject({
        method: form === null ? 'GET' : 'POST',
        url: `/${platform}${path}`,
        remoteAddress,
        cookies,
        headers: { ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
        ...(form === null ? {} : { payload: new URLSearchParams(form).toString() }),
      });
      for (const { name, value } of response.cookies) cookies[name] = value;
      const text = decode(response.body);
      return { status: response.statusCode, text, location: response.headers.location, hidden: hiddenOf(response.body) };
    };
    return {
      cookies,
      open: (path: string, headers: Fields = {}) => send(path, null, headers),
      post: (path: string, form: Fields, headers: Fields = {}) => send(path, form, headers),
    };
  };
  type Person = Awaited<ReturnType<typeof account>>;

  /** A browser that a link has led, by way of the sign-in form, to the page that asks. */
  const atConnect = async (session: { readonly path: string; readonly platform: PlatformId }, person?: Person) => {
    const who = person ?? (await account(session.platform));
    const browser = createBrowser(session.platform);
    const form = await browser.open(session.path);
    const page = await browser.post('/sign-in', { ...form.hidden, email: who.email, password: who.password });
    return { browser, page, person: who };
  };
  /** What work has recorded, by stream and type. */
  const during = async <Result>(work: () => Promise<Result>, platform = agents) => {
    const before = await world.head(platform);
    const result = await work();
    const events = await readEventsAfter(deps.pool, { platform, after: before, limit: 500 });
    return { result, events, types: events.map(({ type }) => type) };
  };
  return {
    ...world,
    app,
    lines,
    agents,
    configure,
    begin,
    beginLong,
    account,
    createBrowser,
    atConnect,
    wrongNumber: (session: { readonly number: number }, page: Seen): string =>
      String(offeredBy(page).find((each) => each !== session.number)),
    during,
    /** What a person answers on the page that asks. */
    answer: (at: Awaited<ReturnType<typeof atConnect>>, fields: Fields) =>
      during(() => at.browser.post('/connect', { ...at.page.hidden, ...fields })),
    /** What the log says of the grant that a session comes to. */
    grantOf: async ({ id, platform }: { readonly id: SessionId; readonly platform: PlatformId }): Promise<GrantState> => {
      const grant = sessionGrant(id);
      return foldGrant(await log.load(platform, [{ streamId: grant }]), grant);
    },
    eventsOf: async (streamId: StreamId, platform = agents) => (await log.load(platform, [{ streamId }])).stream(streamId).events,
    codeMailedTo: async (to: string): Promise<string> => {
      const mails = (await listMail(deps.pool, 500)).map((row) => openMail(deps.sealer, row)).filter((mail) => mail.to === to);
      return /^The code is: (\S+)$/m.exec(mails[0]?.text ?? '')?.[1] ?? '';
    },
    close: async (): Promise<void> => {
      await app.close();
      await world.close();
    },
  };
};

export type AgentWorld = Awaited<ReturnType<typeof openAgentWorld>>;
export type Begun = Awaited<ReturnType<AgentWorld['begin']>>;
