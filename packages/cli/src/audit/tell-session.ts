import type { SessionId } from '@grantlog/domain';
import type { RecordedEvent } from '@grantlog/eventsourcing';
import { createPool } from '@grantlog/postgres';
import { sessionGrant } from '@grantlog/provisioning';
import { Problem } from '../problem.ts';
import { findStream, timeline } from './timeline.ts';

const inOrder = (...streams: readonly (readonly RecordedEvent[])[]): readonly RecordedEvent[] =>
  streams.flat().sort((one, other) => one.position - other.position);

/**
 * The lines of a sign-up session's timeline, with those of the grant that its person allowed, read from the log at
 * `connectionString`. Where it came from is sealed and not told.
 *
 * @throws Problem where no platform, or not the one named, has that session
 */
export const tellSession = async (task: {
  readonly connectionString: string;
  readonly sessionId: SessionId;
  readonly platform: string | null;
}): Promise<readonly string[]> => {
  const { sessionId } = task;
  const pool = createPool({ connectionString: task.connectionString, role: 'grantlog_api', max: 1 });
  try {
    const session = await findStream(pool, { streamId: sessionId, begunBy: 'session.', platform: task.platform });
    const [first] = session;
    if (first === undefined)
      throw new Problem(`No platform has a session ${sessionId}`, 'Check the id, and that DATABASE_URL names the right database');
    const grantId = sessionGrant(sessionId);
    const grant = await findStream(pool, { streamId: grantId, begunBy: 'grant.', platform: first.platform });
    return [
      `Session ${sessionId} of platform ${first.platform}, ${session.length} events`,
      grant.length === 0 ? 'No grant was opened for it' : `Grant ${grantId}, ${grant.length} events`,
      ...timeline(inOrder(session, grant)),
    ];
  } finally {
    await pool.end();
  }
};
