import { randomUuid, uuidv7 } from '@grantlog/crypto';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';
import {
  type AttemptRecord,
  createPool,
  type EndpointRoute,
  insertDeliveries,
  type NewDelivery,
  recordAttempts,
  type Take,
  type TurnReport,
  takeDeliveries,
  transaction,
  upsertRoute,
} from '../../src/index.ts';
import { createTestDatabase } from './test-database.ts';

const platform = 'arlo' as PlatformId;
const holdMs = 60_000;

export const delivered = (id: string, of: Partial<AttemptRecord> = {}): AttemptRecord => ({
  id,
  outcome: 'delivered',
  status: 204,
  detail: 'The receiver answered with 204',
  beganAt: Date.now(),
  durationMs: 5,
  response: null,
  state: 'delivered',
  retryInMs: null,
  ...of,
});
export const rejected = (id: string, of: Partial<AttemptRecord> = {}): AttemptRecord =>
  delivered(id, { outcome: 'rejected', status: 500, state: 'pending', retryInMs: 60_000, ...of });

type Due = Partial<Pick<NewDelivery, 'lane' | 'position' | 'line' | 'proves' | 'state'>> & { readonly inSeconds?: number };
type Saying = Partial<Pick<TurnReport, 'attempts' | 'health' | 'tokens' | 'end'>>;

/** A database of deliveries, and the short words of the tests about it. */
export const openTurns = async (name: string) => {
  const database = await createTestDatabase(name);
  const pool: pg.Pool = createPool({ connectionString: database.url, role: 'grantlog_worker', max: 4 });
  let position = 0;

  const endpoint = async (of: Partial<Pick<EndpointRoute, 'proven' | 'ordered'>> = {}): Promise<StreamId> => {
    const id = uuidv7(Date.now()) as StreamId;
    const asUsual = {
      version: 1,
      status: 'active',
      client: null,
      session: null,
      grants: null,
      types: null,
      polled: false,
      without: [],
    } as const;
    const route = { endpoint: id, ...asUsual, proven: true, ordered: false, supersedes: false, ...of };
    await transaction(pool, (client) => upsertRoute(client, { platform, foldVersion: 1, route }));
    return id;
  };
  /** Makes a delivery due, since a moment ago where nothing else is said, and returns its id. */
  const due = async (to: StreamId, { inSeconds = -1, ...of }: Due = {}): Promise<string> => {
    const id = uuidv7(Date.now());
    position += 1;
    const row = { platform, endpoint: to, id, lane: 1, position, line: null, proves: false, state: 'pending', ...of } as const;
    await transaction(pool, (client) => insertDeliveries(client, [row]));
    await pool.query('update delivery set due_at = now() + make_interval(secs => $2) where id = $1', [id, inSeconds]);
    return id;
  };
  /** Begins turns, or goes on with those that an epoch names; all in one statement. */
  const takeAll = (worker: string, of: readonly (Pick<Take, 'endpoint'> & Partial<Take>)[], hold = holdMs) =>
    takeDeliveries(pool, { worker, holdMs: hold, takes: of.map((each) => ({ platform, epoch: 0, room: 10, ...each })) });
  const take = async (worker: string, of: Pick<Take, 'endpoint'> & Partial<Take> & { readonly holdMs?: number }) => {
    const { holdMs: hold, ...rest } = of;
    const [taken] = await takeAll(worker, [rest], hold);
    return taken ?? null;
  };
  /** What is handed out to somebody who begins a turn, or goes on with the one that `epoch` names. */
  const handed = async (worker: string, to: StreamId, of: Partial<Take> = {}): Promise<readonly string[]> =>
    ((await take(worker, { endpoint: to, ...of }))?.deliveries ?? []).map(({ id }) => id);
  const sayAll = (worker: string, of: readonly ({ readonly endpoint: StreamId; readonly epoch: number } & Saying)[]) => {
    const asUsual = { platform, attempts: [], health: null, tokens: null, end: 'stays' } as const;
    return recordAttempts(pool, { worker, holdMs, reports: of.map((each): TurnReport => ({ ...asUsual, ...each })) });
  };
  const say = async (worker: string, of: Parameters<typeof sayAll>[1][number]) => (await sayAll(worker, [of]))[0] ?? null;
  return {
    pool,
    platform,
    endpoint,
    due,
    take,
    takeAll,
    handed,
    say,
    sayAll,
    worker: randomUuid,
    work: async (of: StreamId) => {
      const { rows } = await pool.query<{
        readonly holder: string | null;
        readonly epoch: number;
        readonly claimed: readonly string[];
        readonly wanted: number;
        readonly held: boolean;
        readonly tokens: number | null;
        readonly failing: number | null;
        readonly open: number | null;
      }>(
        `select holder, epoch, claimed, wanted, coalesce(held_until > now(), false) as held, tokens,
           extract(epoch from now() - failing_since)::float8 as failing, extract(epoch from open_until - now())::float8 as open
         from endpoint_work where endpoint = $1`,
        [of],
      );
      return rows[0];
    },
    /** Changes what is kept of an endpoint, as time does. */
    age: (of: StreamId, change: string) => pool.query(`update endpoint_work set ${change} where endpoint = $1`, [of]),
    delivery: async (id: string) => {
      const { rows } = await pool.query(
        `select state, lane, attempt, failures, round(extract(epoch from due_at - now()))::int as due from delivery where id = $1
         union all select state, lane, attempt, null, null from delivery_done where id = $1`,
        [id],
      );
      return rows[0];
    },
    attempts: async (id: string) => (await pool.query('select attempt, outcome from attempt where id = $1 order by attempt', [id])).rows,
    close: async (): Promise<void> => {
      await pool.end();
      await database.drop();
    },
  };
};
export type Turns = Awaited<ReturnType<typeof openTurns>>;
