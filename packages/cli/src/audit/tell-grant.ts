import type { GrantId } from '@grantlog/domain';
import { createPool } from '@grantlog/postgres';
import { Problem } from '../problem.ts';
import { findStream, timeline } from './timeline.ts';

/**
 * The lines of a grant's timeline, read from the log at `connectionString`.
 *
 * @throws Problem where no platform, or not the one named, has that grant
 */
export const tellGrant = async (task: {
  readonly connectionString: string;
  readonly grantId: GrantId;
  readonly platform: string | null;
}): Promise<readonly string[]> => {
  const { grantId } = task;
  const pool = createPool({ connectionString: task.connectionString, role: 'grantlog_api', max: 1 });
  try {
    const events = await findStream(pool, { streamId: grantId, begunBy: 'grant.', platform: task.platform });
    if (events.length === 0)
      throw new Problem(`No platform has a grant ${grantId}`, 'Check the id, and that DATABASE_URL names the right database');
    return [`Grant ${grantId} of platform ${events[0]?.platform ?? ''}, ${events.length} events`, ...timeline(events)];
  } finally {
    await pool.end();
  }
};
