import pg from 'pg';
import type { logChannel, toldChannel } from '../log/notifier.ts';

/**
 * Listens for wake-ups on a connection of its own and reconnects by itself; each time it wakes once, for what it missed.
 * Give it a direct connection where a transaction pooler sits in between; without one, consumers poll.
 */
export const listenTo = (options: {
  readonly connectionString: string;
  readonly channel: typeof logChannel | typeof toldChannel;
  readonly onWake: () => void;
  readonly onError?: (error: Error) => void;
}): { readonly stop: () => Promise<void> } => {
  let stopped = false;
  let client: pg.Client | null = null;
  let retry: NodeJS.Timeout | null = null;

  const connect = async (): Promise<void> => {
    retry = null;
    const next = new pg.Client({
      connectionString: options.connectionString,
      application_name: 'grantlog_listen',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    client = next;
    next.on('notification', () => options.onWake());
    next.on('error', (error) => options.onError?.(error));
    next.on('end', reconnect);
    try {
      await next.connect();
      await next.query(`listen ${options.channel}`);
      options.onWake();
    } catch (error) {
      options.onError?.(error as Error);
      await next.end().catch(() => {});
      reconnect();
    }
  };
  const reconnect = (): void => {
    if (!stopped) retry ??= setTimeout(() => void connect(), 1_000);
  };
  void connect();
  return {
    stop: async () => {
      stopped = true;
      if (retry !== null) clearTimeout(retry);
      await client?.end().catch(() => {});
    },
  };
};
