import { parseArgs } from 'node:util';
import type { Command } from '../command.ts';

/** `grantlog migrate`. */
export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'bring the database at DATABASE_URL to the current schema',
  usage: `grantlog migrate

Applies the migrations that are missing, and does nothing where none are. The database is DATABASE_URL, else that of the
instance that runs here. start migrates by itself.`,
  run: async (argv, io) => {
    parseArgs({ args: [...argv], options: {} });
    const { migrateDatabase } = await import('../launcher/migrate.ts');
    return migrateDatabase(io);
  },
};
