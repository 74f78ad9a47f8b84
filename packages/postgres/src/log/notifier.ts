import type { PlatformId } from '@grantlog/eventsourcing';
import type pg from 'pg';

/** The channel on which processes say that the log has grown; the payload names the platforms, separated by spaces. */
export const logChannel = 'grantlog_log';

/** The channel on which dispatchers say the same of what is told. */
export const toldChannel = 'grantlog_told';

/**
 * Wakes whoever listens, after a commit: one coalesced NOTIFY, at most every 5 milliseconds, never inside the transaction.
 * A lost one costs the listeners' poll interval, so failures are ignored.
 */
export const createNotifier = (pool: pg.Pool, channel: typeof logChannel | typeof toldChannel) => {
  const every = 5;
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
      .query({ name: 'grantlog.notify', text: 'select pg_notify($1, $2)', values: [channel, platforms.slice(0, 100).join(' ')] })
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
