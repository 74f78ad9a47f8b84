import pg from 'pg';
import { logChannel } from '../log/notifier.ts';

/**
 * Listens for the log's wake-ups on a connection of its own and reconnects by itself.
 * Give it a direct connection where a transaction pooler sits in between; without one, consumers poll.
 */
export const listenToLog = (options: {
  readonly connectionString: string;
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
    next.on('notification', options.onWake);
    next.on('error', (error) => options.onError?.(error));
    next.on('end', reconnect);
    try {
      await next.connect();
      await next.query(`listen ${logChannel}`);
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
