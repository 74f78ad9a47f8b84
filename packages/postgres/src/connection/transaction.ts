import type pg from 'pg';

const beginnings = {
  durable: 'begin',
  // Committed and seen by everybody, but a crash of the database within the next second may forget it, whole.
  repeatable: 'begin; set local synchronous_commit to off',
} as const;

/**
 * Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws.
 *
 * @param kind `repeatable` where what a crash forgets is simply done again.
 */
export const transaction = async <Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Result>,
  kind: keyof typeof beginnings = 'durable',
): Promise<Result> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The server may end the session between two statements (a frozen worker, a restart). The pool listens only while a
  // connection is idle, and an error that nobody listens to would end the process.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    // Not awaited: it travels with the first statement, and what it fails with is what the commit fails with.
    client.query(beginnings[kind]).catch(onError);
    const result = await work(client);
    const { command } = await client.query('commit');
    // What was sent and not waited for has failed: the server rolls back, and says so in no other way.
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back by a statement that failed');
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
