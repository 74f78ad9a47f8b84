import pg from 'pg';

/** The three roles that processes act as; the login of `DATABASE_URL` must be a member of them. */
export type DatabaseRole = 'grantlog_api' | 'grantlog_worker' | 'grantlog_migrate';

export type PoolOptions = {
  readonly connectionString: string;
  readonly role: DatabaseRole;
  /** Most connections held at once. */
  readonly max: number;
  /** Milliseconds the client waits for one statement's reply before it gives the connection up. Default 15,000. */
  readonly replyTimeout?: number;
  /** Told of errors on idle connections (a server restart, a cut network); the pool replaces them by itself. */
  readonly onError?: (error: Error) => void;
  readonly searchPath?: string;
};

const int8 = 20;

const toSafeInteger = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a safe integer`);
  return value;
};

/** A pool whose every connection acts as one role, reads `bigint` as a safe integer and keeps to the log's schema. */
export const createPool = (options: PoolOptions): pg.Pool => {
  // A worker frozen inside a transaction would hold its subscription; the server lets go of it (design §6).
  const idleLimit = options.role === 'grantlog_worker' ? ' -c idle_in_transaction_session_timeout=10000' : '';
  const pool = new pg.Pool({
    // Statements that do not wait for each other travel together.
    pipeline: options.role === 'grantlog_worker',
    connectionString: options.connectionString,
    max: options.max,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    query_timeout: options.replyTimeout ?? 15_000,
    application_name: options.role,
    options: `-c role=${options.role} -c search_path=${options.searchPath ?? 'grantlog,pg_temp'} -c jit=off${idleLimit}`,
    types: {
      getTypeParser: ((oid: number, format: 'text' | 'binary') =>
        oid === int8 && format !== 'binary' ? toSafeInteger : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  pool.on('error', (error) => options.onError?.(error));
  // A session may be ended by the server between two statements, or after one that failed. The next statement says so; an
  // error that nobody listens to would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
};
