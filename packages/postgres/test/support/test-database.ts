import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createDatabase, migrate } from '../../src/index.ts';

/** A database of one suite, migrated, on the cluster of the test run. */
export type TestDatabase = {
  readonly url: string;
  /** One statement as the cluster's superuser; `bigint` comes as a number. */
  readonly asSuperuser: <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  /** Closes what is open of this kind, so that the database can be a template; the next statement opens it again. */
  readonly disconnect: () => Promise<void>;
  /** One connection as the superuser, for whoever needs a session of its own. The caller ends it. */
  readonly connect: (url?: string) => Promise<pg.Client>;
  readonly drop: () => Promise<void>;
};

const int8 = 20;
const types = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === int8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** Makes an empty database beside the run's own; `url` is the superuser's. */
export const createEmptyDatabase = async (name: string): Promise<TestDatabase> => {
  const connectionString = inject('databaseUrl');
  const database = `${name}_${randomUUID().slice(0, 8)}`;
  const url = await createDatabase({ connectionString, name: database });
  const openPool = (): pg.Pool => new pg.Pool({ connectionString: url, max: 2, types }).on('error', () => {});
  let pool = openPool();
  const connect = async (other: string = url): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: other, types });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  return {
    url,
    asSuperuser: async <Row extends object>(sql: string, values: readonly unknown[] = []) => (await pool.query<Row>(sql, [...values])).rows,
    disconnect: async () => {
      await pool.end();
      pool = openPool();
    },
    connect,
    drop: async () => {
      await pool.end();
      const client = await connect(connectionString);
      await client.query(`drop database if exists ${client.escapeIdentifier(database)} with (force)`);
      await client.end();
    },
  };
};

/** Makes a database with the whole schema. */
export const createTestDatabase = async (name: string): Promise<TestDatabase> => {
  const database = await createEmptyDatabase(name);
  await migrate({ connectionString: database.url });
  return database;
};
