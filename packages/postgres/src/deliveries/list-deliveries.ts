import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Database } from './database.ts';
import type { DeliveryState } from './delivery.ts';
import { type DeliverySummary, sources, summaryColumns } from './delivery-summary.ts';

/** Where a page of deliveries ended. */
export type DeliveryCursor = { readonly id: string; readonly endpoint: StreamId };

export type DeliveryFilter = {
  readonly platform: PlatformId;
  readonly endpoint?: StreamId;
  /** The message's: the `webhook-id`. */
  readonly id?: string;
  readonly subject?: StreamId;
  readonly state?: DeliveryState;
  readonly type?: string;
  readonly before?: DeliveryCursor;
  readonly limit: number;
};

/** Deliveries looked at for one page where the type is asked for, which no index of theirs knows. */
const walked = 2_000;

type Source = { readonly from: string; readonly where: readonly string[] };

/** The tables that can have such a state, each asked so that an index of its own answers. */
const sourcesOf = ({ state, endpoint }: DeliveryFilter): readonly Source[] => {
  const { due, done } = sources;
  if (state === undefined) {
    const unfinished = endpoint === undefined ? [[]] : [[`state = 'pending'`], [`state = 'held'`]];
    return [...unfinished.map((where) => ({ from: due, where })), { from: done, where: [] }];
  }
  const ofState = `state = '${state}'`;
  switch (state) {
    case 'pending':
    case 'held':
      return [{ from: due, where: [ofState] }];
    case 'delivered':
      return [{ from: done, where: [ofState] }];
    case 'failed':
    case 'stopped':
    case 'superseded':
    case 'abandoned':
      return [{ from: done, where: [ofState, `state <> 'delivered'`] }];
  }
};

/**
 * Deliveries of a platform, newest first. A page may be shorter than asked for and not be the last, where few of many are of
 * the type asked for: `next` says whether there may be more.
 */
export const listDeliveries = async (
  pool: Database,
  filter: DeliveryFilter,
): Promise<{ readonly deliveries: readonly DeliverySummary[]; readonly next: DeliveryCursor | null }> => {
  const { platform, endpoint, id, subject, type, before, limit } = filter;
  const values: unknown[] = [platform];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['platform = $1'];
  if (endpoint !== undefined) conditions.push(`endpoint = ${given(endpoint)}`);
  if (id !== undefined) conditions.push(`id = ${given(id)}`);
  if (subject !== undefined)
    conditions.push(`id = any (array(select s.id from message s where s.platform = $1 and s.subject = ${given(subject)}))`);
  if (before !== undefined) {
    const last = given(before.id);
    // Partitions are left out by the first of the two; it takes no comparison of rows.
    conditions.push(`id <= ${last}`, `(id, endpoint) < (${last}, ${given(before.endpoint)})`);
  }
  const most = given(type === undefined ? limit : walked);
  const parts = sourcesOf(filter).map(
    ({ from, where }) => `(${from} where ${[...conditions, ...where].join(' and ')} order by id desc, endpoint desc limit ${most})`,
  );
  // The last one looked at comes along, whatever its type: the next page begins there.
  const wanted = type === undefined ? '' : `where m.type = ${given(type)} or d.nth = ${most}`;
  const { rows } = await pool.query<DeliverySummary & { readonly nth: number }>(
    `select ${summaryColumns}, d.nth from (
       select u.*, row_number() over (order by u.id desc, u.endpoint desc)::int as nth
       from (select * from (${parts.join(' union all ')}) p order by id desc, endpoint desc limit ${most}) u
     ) d cross join lateral (select * from message where platform = d.platform and id = d.id limit 1) m
     ${wanted} order by d.id desc, d.endpoint desc limit ${given(limit)}`,
    values,
  );
  const found = rows.filter((row) => type === undefined || row.type === type);
  const end = found.length === limit ? found.at(-1) : rows.find(({ nth }) => type !== undefined && nth === walked);
  return {
    deliveries: found.map(({ nth: _, ...delivery }) => delivery),
    next: end === undefined ? null : { id: end.id, endpoint: end.endpoint },
  };
};
