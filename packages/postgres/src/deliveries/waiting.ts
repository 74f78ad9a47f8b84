import type { Database } from './database.ts';
import type { Lane } from './delivery.ts';

/** What has still to be delivered, over all platforms, counted up to a million. */
export type Waiting = {
  readonly lane: Lane;
  /** Due now. */
  readonly due: number;
  /** Due for longer than five seconds: nobody has come to it, or its endpoint is spared. */
  readonly overdue: number;
  /** Due later: retries. */
  readonly later: number;
  /** Until its endpoint has proved its URL. */
  readonly held: number;
};

export const readWaiting = async (pool: Database): Promise<readonly Waiting[]> => {
  const { rows } = await pool.query<Waiting>({
    name: 'grantlog.waiting-deliveries',
    text: `select lane, count(*) filter (where state = 'pending' and due_at <= now())::int as due,
        count(*) filter (where state = 'pending' and due_at < now() - interval '5 seconds')::int as overdue,
        count(*) filter (where state = 'pending' and due_at > now())::int as later, count(*) filter (where state = 'held')::int as held
      from (select lane, state, due_at from delivery limit 1000000) d group by lane`,
  });
  return rows;
};
