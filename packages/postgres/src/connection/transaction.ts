import type pg from 'pg';

/** Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws. */
export const transaction = async <Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The server may end the session between two statements (a frozen worker, a restart). The pool listens only while a
  // connection is idle, and an error that nobody listens to would end the process.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      broken = cause;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
};
