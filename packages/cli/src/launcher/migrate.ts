import { migrate } from '@grantlog/postgres';
import type { CommandIo } from '../command.ts';
import { databaseOf } from './database-of.ts';
import { explainDatabaseError } from './explain-database.ts';

/** Migrates the database at DATABASE_URL, else that of the instance which runs on this data folder. */
export const migrateDatabase = async (io: CommandIo): Promise<number> => {
  const url = await databaseOf(io);
  try {
    await migrate({ connectionString: url, onProgress: (message) => io.note(`· ${message}`) });
  } catch (error) {
    throw explainDatabaseError(error, url);
  }
  io.out('The database is at the current schema.');
  return 0;
};
