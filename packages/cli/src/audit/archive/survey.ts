import { aggregateOf, type GrantId, parseStreamId, type SessionId, streamLife } from '@grantlog/domain';
import type { JsonValue, PlatformId, RecordedEvent, StreamId } from '@grantlog/eventsourcing';
import { type Month, namedByLaterGrants, type Pool, readMonthByStream } from '@grantlog/postgres';
import { sessionGrant } from '@grantlog/provisioning';

/** Which streams of a month may leave the log, and which stay. */
export type Survey = {
  readonly stays: ReadonlySet<StreamId>;
  /** Streams that are over. */
  readonly over: number;
  /** Sessions that are over and their webhooks, by the account with which their data keys go. */
  readonly subjects: ReadonlyMap<StreamId, readonly StreamId[]>;
};

type Told = { account: StreamId | null; readonly endpoints: StreamId[] };

const isText = (value: unknown): value is string => typeof value === 'string';

/** Every id of a stream in what an event says, however deep. */
const idsIn = (value: unknown): readonly StreamId[] => {
  if (isText(value)) return [parseStreamId(value) ?? []].flat();
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(idsIn) : [];
};

/**
 * Looks through the streams of a month. What lives stays, and so does what a grant that lives stands on, in this month or a later one:
 * for every decision that is still to come, the log without the others is the same log.
 */
export const surveyMonth = async (
  pool: Pool,
  of: { readonly platform: PlatformId; readonly month: Month; readonly now: number; readonly signInSeconds: number },
): Promise<Survey> => {
  const { platform, month } = of;
  const stays = new Set<StreamId>(await namedByLaterGrants(pool, { platform, month }));
  const withTheirGrants = new Set<StreamId>();
  const sessions = new Map<StreamId, Told>();
  const all = new Set<StreamId>();

  const tellSession = ({ streamId, type, data }: RecordedEvent): void => {
    if (!type.startsWith('session.')) return;
    const told = sessions.get(streamId) ?? { account: null, endpoints: [] };
    sessions.set(streamId, told);
    const { account, endpoint }: { readonly account?: unknown; readonly endpoint?: unknown } = data;
    if (type === 'session.linked' && isText(account)) told.account = account as StreamId;
    if (type === 'session.webhook_registered' && isText(endpoint)) told.endpoints.push(endpoint as StreamId);
  };
  const judge = (first: RecordedEvent, state: JsonValue | null): void => {
    const aggregate = aggregateOf(first.type);
    const life = aggregate === null || state === null ? 'lives' : streamLife(aggregate.name, state, of);
    all.add(first.streamId);
    if (life === 'with_its_grant') withTheirGrants.add(first.streamId);
    if (life !== 'lives') return;
    stays.add(first.streamId);
    for (const id of idsIn(first.data)) if (id >= month.from && id < month.to) stays.add(id);
  };

  let first: RecordedEvent | null = null;
  let state: JsonValue | null = null;
  for await (const event of readMonthByStream(pool, { platform, month })) {
    if (event.streamId !== first?.streamId) {
      if (first !== null) judge(first, state);
      first = event;
      state = aggregateOf(event.type)?.initial ?? null;
    }
    tellSession(event);
    const aggregate = aggregateOf(event.type);
    // A type that is newer than this command: its stream stays.
    state = state === null || aggregate === null ? null : aggregate.evolve(state, event);
  }
  if (first !== null) judge(first, state);
  for (const id of withTheirGrants) if (stays.has(sessionGrant(id as SessionId) satisfies GrantId)) stays.add(id);

  const subjects = new Map<StreamId, StreamId[]>();
  for (const [session, { account, endpoints }] of sessions)
    if (account !== null && !stays.has(session)) subjects.set(account, [...(subjects.get(account) ?? []), session, ...endpoints]);
  let over = 0;
  for (const id of all) if (!stays.has(id)) over += 1;
  return { stays, over, subjects };
};
