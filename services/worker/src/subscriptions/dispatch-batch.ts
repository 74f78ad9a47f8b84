import type { GrantEvent, SessionTerms } from '@grantlog/domain';
import type { JsonObject, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import {
  type Affected,
  concernedByAccount,
  deleteLiveGrants,
  type EndpointLane,
  findLiveGrants,
  firstLane,
  insertDeliveries,
  type Lane,
  type LiveGrant,
  type NewDelivery,
  readFirstEvents,
  resetHealth,
  revocationLane,
  type SubscriptionBatch,
  type Transaction,
  takeAffectedGrants,
  trackSessions,
  upsertLiveGrants,
} from '@grantlog/postgres';
import { renderBody } from '../webhooks/body.ts';
import { deliveryId } from '../webhooks/delivery-id.ts';
import { type Concerned, openRoutes, type Routes } from '../webhooks/routing.ts';
import { rendererVersion, tellingOf } from '../webhooks/told-events.ts';
import { grantAfter } from './live-grant.ts';
import { sessionChanges } from './pending-sessions.ts';

/** Rows written or taken by one statement; a revocation of a million grants is many statements of one transaction. */
const chunk = 2_000;

type Message = {
  readonly as: string;
  readonly lane: Lane;
  readonly subject: StreamId;
  readonly data: JsonObject;
  readonly endpoints: readonly StreamId[];
};

/** Who an event is about and what its body says of them, for each kind of subject. */
const grantData = (grant: LiveGrant, platform: PlatformId): JsonObject => ({
  platform,
  grantId: grant.grantId,
  clientId: grant.clientId,
  ...(grant.account === null ? {} : { accountId: grant.account }),
  ...(grant.session === null ? {} : { sessionId: grant.session }),
});

const concernOf = ({ client, session }: LiveGrant): Concerned => ({
  clients: new Set([client]),
  sessions: new Set(session === null ? [] : [session]),
});

/** Writes what endpoints are told of a batch of events, and returns the endpoints and lanes that have work now. */
export const dispatchBatch = async (client: Transaction, { platform, events }: SubscriptionBatch): Promise<readonly EndpointLane[]> => {
  const outbox: NewDelivery[] = [];
  const woken = new Map<string, EndpointLane>();
  const grants = await openGrants(client, platform, events);
  const routes: Routes = await openRoutes(client, { platform, position: events[0]?.position ?? 1 });

  const flush = async (): Promise<void> => {
    for (let from = 0; from < outbox.length; from += chunk) await insertDeliveries(client, outbox.slice(from, from + chunk));
    outbox.length = 0;
  };
  const tell = (event: RecordedEvent, { as, lane, subject, data, endpoints }: Message): void => {
    if (endpoints.length === 0) return;
    const { position, recordedAt } = event;
    const body = renderBody({ type: as, recordedAt, data: { ...data, position } });
    for (const endpoint of endpoints) {
      const id = deliveryId({ platform, position, recordedAt, subject, endpoint });
      outbox.push({ platform, id, endpoint, lane, subject, position, type: as, renderer: rendererVersion, body });
      woken.set(`${endpoint} ${lane}`, { platform, endpoint, lane });
    }
  };
  const tellRevoked = async (event: RecordedEvent, affected: Affected, reason: string): Promise<void> => {
    await grants.flush();
    for (;;) {
      const taken = await takeAffectedGrants(client, { platform, affected, limit: chunk });
      if (taken.length === 0) return;
      await routes.openSessions(taken.flatMap(({ session }) => session ?? []));
      for (const grant of taken) {
        grants.forget(grant.grantId);
        const endpoints = await routes.hearing('grant.revoked', concernOf(grant));
        const data = { ...grantData(grant, platform), sequence: grant.version, reason };
        tell(event, { as: 'grant.revoked', lane: revocationLane, subject: grant.grantId, data, endpoints });
      }
      await flush();
    }
  };

  for (const event of events) {
    if (event.type.startsWith('webhook_endpoint.')) await routes.change(event.streamId, event.position);
    if (event.type === 'webhook_endpoint.enabled') await resetHealth(client, { platform, endpoint: event.streamId });
    const grant = event.type.startsWith('grant.') ? grants.take(event as RecordedEvent<GrantEvent>) : null;
    const telling = tellingOf(event);
    if (telling === 'untold') continue;
    const before = event.position;
    const subject = event.streamId;
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
      case 'grant': {
        if (grant === null) throw new Error(`grant ${subject} has no first event`);
        const endpoints = await routes.hearing(telling.as, concernOf(grant));
        const data = { ...grantData(grant, platform), sequence: event.version, ...telling.particulars(event) };
        tell(event, { as: telling.as, lane: telling.lane, subject, data, endpoints });
        break;
      }
      case 'session': {
        const first = (await readFirstEvents(client, { platform, streamIds: [subject] })).get(subject);
        // The first event of a session's stream is its beginning, which names its client.
        const terms = first?.data as SessionTerms | undefined;
        if (terms === undefined) throw new Error(`session ${subject} has no first event`);
        const endpoints = await routes.hearing(telling.as, { clients: new Set([terms.client]), sessions: new Set([subject]) });
        const data = { platform, sessionId: subject, clientId: terms.clientId, sequence: event.version, ...telling.particulars(event) };
        tell(event, { as: telling.as, lane: telling.lane, subject, data, endpoints });
        break;
      }
      case 'account': {
        await grants.flush();
        const endpoints = await routes.hearing(telling.as, await concernedByAccount(client, { platform, account: subject }));
        const data = { platform, accountId: subject, sequence: event.version, ...telling.particulars(event) };
        tell(event, { as: telling.as, lane: telling.lane, subject, data, endpoints });
        break;
      }
      case 'client': {
        const first = (await readFirstEvents(client, { platform, streamIds: [subject] })).get(subject);
        // The first event of a client's stream is its registration, which names the wire's client_id.
        const { clientId } = (first?.data ?? {}) as { readonly clientId?: string };
        const endpoints = await routes.hearing(telling.as, { clients: new Set([subject]), sessions: new Set() });
        const data = { platform, clientId: clientId ?? subject, sequence: event.version, ...telling.particulars(event) };
        tell(event, { as: telling.as, lane: telling.lane, subject, data, endpoints });
        break;
      }
      case 'receiver': {
        const session = routes.sessionOf(subject);
        if (session === null || !telling.isAsked(event)) break;
        const data = { platform, endpointId: subject, sessionId: session, sequence: event.version };
        tell(event, { as: telling.as, lane: firstLane, subject, data, endpoints: [subject] });
        break;
      }
    }
  }
  await grants.flush();
  await trackSessions(client, { platform, ...sessionChanges(events) });
  await flush();
  return [...woken.values()];
};

/** The grants that a batch is about, as they stand before each of its events. */
const openGrants = async (client: Transaction, platform: PlatformId, events: readonly RecordedEvent[]) => {
  const named = [...new Set(events.filter(({ type }) => type.startsWith('grant.')).map(({ streamId }) => streamId))];
  const live = await findLiveGrants(client, { platform, grantIds: named });
  const known = new Map(live.map((grant) => [grant.grantId, grant]));
  const dirty = new Set<StreamId>();
  const ended = new Set<StreamId>();
  const begun = new Set(events.filter(({ version, type }) => version === 1 && type.startsWith('grant.')).map(({ streamId }) => streamId));
  // Ended by a mass revocation, and something was recorded of them since: the log still knows whose they are.
  const strangers = named.filter((id) => !known.has(id) && !begun.has(id));
  for (const first of (await readFirstEvents(client, { platform, streamIds: strangers })).values()) {
    const grant = grantAfter(null, { ...first, version: 1 } as unknown as RecordedEvent<GrantEvent>);
    if (grant === null) continue;
    known.set(first.streamId, grant);
    ended.add(first.streamId);
  }
  return {
    /** Takes an event in and returns the grant it is about, ended or not; null when nothing is known of it. */
    take: (event: RecordedEvent<GrantEvent>): LiveGrant | null => {
      const id = event.streamId;
      const grant = grantAfter(known.get(id) ?? null, event);
      if (grant === null) return null;
      known.set(id, grant);
      dirty.add(id);
      if (event.type === 'grant.revoked' || event.type === 'grant.expired' || event.type === 'grant.denied') ended.add(id);
      return grant;
    },
    forget: (id: StreamId): void => {
      dirty.delete(id);
      ended.add(id);
    },
    flush: async (): Promise<void> => {
      const touched = [...dirty];
      dirty.clear();
      await upsertLiveGrants(client, { platform, grants: touched.filter((id) => !ended.has(id)).flatMap((id) => known.get(id) ?? []) });
      await deleteLiveGrants(client, { platform, grantIds: touched.filter((id) => ended.has(id)) });
    },
  };
};
