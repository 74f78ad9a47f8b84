import type { Database } from './database.ts';

export type SubscriptionLag = {
  readonly name: string;
  /** Events between the checkpoint and the head of the log, over all platforms. */
  readonly events: number;
  readonly failing: number;
};

/** How far each subscription is behind its logs. */
export const readSubscriptionLag = async (pool: Database): Promise<readonly SubscriptionLag[]> => {
  const { rows } = await pool.query<SubscriptionLag>({
    name: 'grantlog.subscription-lag',
    text: `select s.name, coalesce(sum(greatest(0, h.position - s.position)), 0)::bigint as events,
        count(s.failing_position)::int as failing
      from subscription s
      left join lateral (select e.position from event e where e.platform = s.platform order by e.position desc limit 1) h on true
      group by s.name`,
  });
  return rows;
};
