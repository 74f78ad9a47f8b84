import type { PlatformId } from '@grantlog/eventsourcing';
import type { Database } from '@grantlog/postgres';

const pollEveryMs = 15;

/** Position up to which the live rows of a projection reflect the log; 0 before it ever ran. */
export const livePosition = async (pool: Database, options: { readonly name: string; readonly platform: PlatformId }): Promise<number> => {
  const { rows } = await pool.query<{ position: number }>({
    name: 'grantlog.live-position',
    text: `select s.position from projection p
      join subscription s on s.platform = p.platform and s.name = p.name || '@' || p.live_generation
      where p.name = $1 and p.platform = $2`,
    values: [options.name, options.platform],
  });
  return rows[0]?.position ?? 0;
};

/**
 * Waits until a projection contains a position, so that people read their own writes.
 * Says whether it does: after `waitMs` (default 500) the reader answers with what there is.
 */
export const waitForPosition = async (
  pool: Database,
  options: { readonly name: string; readonly platform: PlatformId; readonly minPosition: number; readonly waitMs?: number },
): Promise<boolean> => {
  const deadline = performance.now() + (options.waitMs ?? 500);
  for (;;) {
    if ((await livePosition(pool, options)) >= options.minPosition) return true;
    if (performance.now() + pollEveryMs > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
  }
};
