import { enabledType, type GrantEvent, type SessionTerms, type SignInEvent, staleAfter } from '@grantlog/domain';
import type { JsonObject, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import {
  type Affected,
  concernedByAccount,
  type EndpointLane,
  type EndpointRoute,
  firstLane,
  insertDeliveries,
  insertMessages,
  type Lane,
  type LiveGrant,
  type Message,
  type NewDelivery,
  type NewMessage,
  readFirstEvents,
  revocationLane,
  type SubscriptionBatch,
  type Supersession,
  supersedeDeliveries,
  type Transaction,
  takeAffectedGrants,
  trackSessions,
} from '@grantlog/postgres';
import { recordedTrace, spellTraceparent } from '@grantlog/runtime';
import { renderBody } from '../webhooks/body.ts';
import { messageId } from '../webhooks/message-id.ts';
import { type Concerned, openRoutes, type RoutesMemory } from '../webhooks/routing.ts';
import { rendererVersion, type Telling, tellingOf, verification } from '../webhooks/told-events.ts';
import { openGrants } from './batch-grants.ts';
import { takeInEndpointEvent } from './endpoint-events.ts';
import { sessionChanges } from './pending-sessions.ts';

/** Rows written or taken by one statement; a revocation of a million grants is many statements of one transaction. */
const chunk = 2_000;

type Announcement = {
  readonly as: string;
  readonly lane: Lane;
  readonly subject: StreamId;
  readonly data: JsonObject;
  /** Who may read it, besides the platform and whoever reads of the subject. */
  readonly audience: readonly StreamId[];
  readonly routes: readonly EndpointRoute[];
  /** From 0, within the messages of one event. */
  readonly ordinal?: number;
  /** Whom it is about, where that is told as well, whether or not it hears of anything else: its answer proves its URL. */
  readonly itself?: EndpointRoute | null;
};

/** Who an event is about and what its body says of them, for each kind of subject. */
const grantData = (grant: LiveGrant, platform: PlatformId): JsonObject => ({
  platform,
  grantId: grant.grantId,
  clientId: grant.clientId,
  ...(grant.account === null ? {} : { accountId: grant.account }),
  ...(grant.session === null ? {} : { sessionId: grant.session }),
});

const endpointData = ({ endpoint, session }: EndpointRoute): JsonObject => ({
  endpointId: endpoint,
  ...(session === null ? {} : { sessionId: session }),
});

const concernOf = ({ client, session, grantId }: LiveGrant): Concerned => ({
  clients: new Set([client]),
  sessions: new Set(session === null ? [] : [session]),
  grant: grantId,
});

const nobody: Concerned = { clients: new Set(), sessions: new Set(), grant: null };
const audienceOf = ({ clients, sessions }: Concerned): readonly StreamId[] => [...clients, ...sessions];

/** What came of a batch, once its transaction is committed. */
export type Dispatched = {
  /** Endpoints and lanes that have work now. */
  readonly woken: readonly EndpointLane[];
  /** What they are told of the last events, for whoever sends it at once. */
  readonly messages: readonly (Message & { readonly platform: PlatformId })[];
};

/** Writes what endpoints are told of a batch of events. */
export const dispatchBatch = async (
  client: Transaction,
  { platform, events, memory }: SubscriptionBatch & { readonly memory: RoutesMemory },
): Promise<Dispatched> => {
  let told: Dispatched['messages'] = [];
  const messages: NewMessage[] = [];
  const deliveries: NewDelivery[] = [];
  const supersessions: Supersession[] = [];
  const woken = new Map<string, EndpointLane>();
  const wake = (endpoint: StreamId, lane: Lane): void => void woken.set(`${endpoint} ${lane}`, { platform, endpoint, lane });
  // What does not wait for each other travels together, here and where it is written.
  const [grants, routes] = await Promise.all([
    openGrants(client, platform, events),
    openRoutes(client, { platform, position: events[0]?.position ?? 1, memory }),
  ]);
  await routes.prepare({
    sessions: [...grants.sessions(), ...events.filter(({ type }) => type.startsWith('session.')).map(({ streamId }) => streamId)],
    grants: events.filter(({ type }) => type.startsWith('grant.')).map(({ streamId }) => streamId),
  });

  const flush = async (): Promise<void> => {
    const chunks = <Row>(rows: readonly Row[]): readonly (readonly Row[])[] =>
      Array.from({ length: Math.ceil(rows.length / chunk) }, (_, index) => rows.slice(index * chunk, (index + 1) * chunk));
    await Promise.all([
      ...chunks(messages).map((part) => insertMessages(client, part)),
      ...chunks(deliveries).map((part) => insertDeliveries(client, part)),
      supersedeDeliveries(client, { platform, supersessions: [...supersessions] }),
    ]);
    told = messages.map(({ recordedAt, ...message }) => ({ ...message, recordedAt: new Date(recordedAt) }));
    for (const written of [messages, deliveries, supersessions]) written.length = 0;
  };
  const tell = (event: RecordedEvent, message: Announcement): void => {
    const { as: type, lane, subject, data, audience, ordinal = 0, itself = null } = message;
    const { position, recordedAt } = event;
    const id = messageId({ platform, position, recordedAt, subject });
    const body = renderBody({ type, recordedAt, data: { ...data, position } });
    const trace = spellTraceparent(recordedTrace({ traceparent: event.correlationId, id: event.commitId }));
    messages.push({ platform, id, position, ordinal, subject, type, renderer: rendererVersion, body, recordedAt, trace, audience });
    const stale = staleAfter(type);
    const account = typeof data['accountId'] === 'string' ? (data['accountId'] as StreamId) : null;
    for (const route of itself === null ? message.routes : [...message.routes, itself]) {
      const { endpoint, proven, ordered, supersedes, polled, without } = route;
      if (account !== null && without.includes(account)) continue;
      const proves = route === itself;
      const isHeld = polled || (!proven && !proves);
      deliveries.push({
        platform,
        endpoint,
        id,
        lane,
        position,
        line: ordered || supersedes ? subject : null,
        proves,
        state: isHeld ? 'held' : 'pending',
      });
      if (!isHeld) wake(endpoint, lane);
      if (supersedes && stale.length > 0) supersessions.push({ endpoint, subject, before: position, types: stale });
    }
  };
  const tellRevoked = async (event: RecordedEvent, affected: Affected, reason: string): Promise<void> => {
    await grants.flush();
    for (let ordinal = 0; ; ) {
      const taken = await takeAffectedGrants(client, { platform, affected, limit: chunk });
      if (taken.length === 0) return;
      await routes.prepare({ sessions: taken.flatMap(({ session }) => session ?? []), grants: taken.map(({ grantId }) => grantId) });
      for (const grant of taken) {
        grants.forget(grant.grantId);
        const about = concernOf(grant);
        tell(event, {
          as: 'grant.revoked',
          lane: revocationLane,
          subject: grant.grantId,
          data: { ...grantData(grant, platform), sequence: grant.version, reason },
          audience: audienceOf(about),
          routes: await routes.hearing('grant.revoked', about),
          ordinal,
        });
        ordinal += 1;
      }
      await flush();
    }
  };
  const takeIn = async (event: RecordedEvent) => {
    const { streamId: endpoint, position } = event;
    const changed = await routes.change(endpoint, position);
    const { route, isStream } = changed ?? { route: null, isStream: false };
    if (await takeInEndpointEvent(client, event, { platform, route, isStream, flush }))
      for (const lane of [revocationLane, firstLane] as const) wake(endpoint, lane);
    return changed;
  };

  for (const event of events) {
    const endpoint = event.type.startsWith('webhook_endpoint.') ? await takeIn(event) : null;
    const grant = event.type.startsWith('grant.') ? grants.take(event as RecordedEvent<GrantEvent>) : null;
    const telling = tellingOf(event);
    if (telling === 'untold') continue;
    const before = event.position;
    const subject = event.streamId;
    /** Tells whoever hears of these, in words that begin with who it is about. */
    const tellOf = async (
      of: Extract<Telling, { readonly particulars: unknown }>,
      about: Concerned,
      data: JsonObject,
      itself: EndpointRoute | null = null,
    ) =>
      tell(event, {
        as: of.as,
        lane: of.lane,
        subject,
        data: { platform, ...data, sequence: event.version, ...of.particulars(event) },
        audience: audienceOf(about),
        // Nobody is told of itself that it does not answer.
        routes: (await routes.hearing(of.as, about)).filter((route) => route.endpoint !== subject),
        itself,
      });
    switch (telling.about) {
      case 'grants_of_client':
        await tellRevoked(event, { kind: 'client', client: subject, before }, telling.reason);
        break;
      case 'grants_of_account':
        await tellRevoked(event, { kind: 'account', account: subject, before }, telling.reason);
        break;
      case 'grants_of_platform':
        await tellRevoked(event, { kind: 'platform', before }, telling.reason);
        break;
      case 'grant':
        if (grant === null) throw new Error(`grant ${subject} has no first event`);
        await tellOf(telling, concernOf(grant), grantData(grant, platform));
        break;
      case 'session': {
        const first = (await readFirstEvents(client, { platform, streamIds: [subject] })).get(subject);
        // The first event of a session's stream is its beginning, which names its client.
        const terms = first?.data as SessionTerms | undefined;
        if (terms === undefined) throw new Error(`session ${subject} has no first event`);
        const about = { clients: new Set([terms.client]), sessions: new Set([subject]), grant: null };
        await tellOf(telling, about, { sessionId: subject, clientId: terms.clientId });
        break;
      }
      case 'account': {
        await grants.flush();
        const about = telling.confidential
          ? nobody
          : { ...(await concernedByAccount(client, { platform, account: subject })), grant: null };
        await tellOf(telling, about, { accountId: subject });
        break;
      }
      case 'sign_in': {
        const first = (await readFirstEvents(client, { platform, streamIds: [subject] })).get(subject);
        // Only a sign-in that began ends, and the type says whose data its beginning is.
        const began = first?.data as Extract<SignInEvent, { readonly type: 'sign_in.succeeded' }>['data'] | undefined;
        if (began === undefined) throw new Error(`sign-in ${subject} has no first event`);
        const { account } = began;
        await grants.flush();
        // An agent's session is none of a browser's.
        const { clients } = await concernedByAccount(client, { platform, account, signIn: subject });
        const about = { ...nobody, clients };
        await tellOf(telling, about, { signInId: subject, accountId: account });
        break;
      }
      case 'client': {
        const first = (await readFirstEvents(client, { platform, streamIds: [subject] })).get(subject);
        // The first event of a client's stream is its registration, which names the wire's client_id.
        const { clientId } = (first?.data ?? {}) as { readonly clientId?: string };
        await tellOf(telling, { clients: new Set([subject]), sessions: new Set(), grant: null }, { clientId: clientId ?? subject });
        break;
      }
      case 'endpoint': {
        if (endpoint === null) throw new Error(`endpoint ${subject} has no first event`);
        const { route, isStream } = endpoint;
        const about = {
          clients: new Set(route.client === null ? [] : [route.client]),
          sessions: new Set(route.session === null ? [] : [route.session]),
          grant: null,
        };
        await tellOf(telling, about, endpointData(route), isStream && telling.toStream?.(event) === true ? route : null);
        break;
      }
      case 'receiver': {
        const route = routes.of(subject);
        const as = endpoint?.isStream === true && telling.toStream?.(event) === true ? enabledType : telling.as;
        if (route === null || !telling.isAsked(event) || (as === verification && route.proven)) break;
        const repeated = telling.repeats?.(event) ?? {};
        const data = { platform, ...endpointData(route), sequence: event.version, ...repeated };
        tell(event, { as, lane: firstLane, subject, data, audience: [], routes: [], itself: route });
        break;
      }
    }
  }
  await Promise.all([grants.flush(), trackSessions(client, { platform, ...sessionChanges(events) }), flush()]);
  return { woken: [...woken.values()], messages: told };
};
