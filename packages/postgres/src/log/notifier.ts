import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';

/** The channel on which processes say that the log has grown; the payload names the platforms, separated by spaces. */
export const logChannel = 'grantlog_log';

/**
 * Wakes consumers after an append: one coalesced NOTIFY, at most every `every` milliseconds, never inside the append.
 * A lost one costs the consumers' poll interval, so failures are ignored.
 */
export const createNotifier = (pool: pg.Pool, every = 5) => {
  const pending = new Set<PlatformId>();
  let timer: NodeJS.Timeout | null = null;
  let inFlight = false;
  let last = 0;

  const flush = async (): Promise<void> => {
    timer = null;
    if (inFlight || pending.size === 0) return;
    inFlight = true;
    last = performance.now();
    const platforms = [...pending];
    pending.clear();
    await pool
      .query({ name: 'grantlog.notify', text: 'select pg_notify($1, $2)', values: [logChannel, platforms.slice(0, 100).join(' ')] })
      .catch(() => {});
    inFlight = false;
    if (pending.size > 0) schedule();
  };
  const schedule = (): void => {
    // At once after a pause; a burst waits its turn.
    timer ??= setTimeout(() => void flush(), Math.max(0, last + every - performance.now()));
  };
  return {
    notify: (platform: PlatformId): void => {
      pending.add(platform);
      schedule();
    },
    stop: (): void => {
      if (timer !== null) clearTimeout(timer);
    },
  };
};
