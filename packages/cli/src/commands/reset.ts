import { parseArgs } from 'node:util';
import type { Command } from '../command.ts';

/** `grantlog reset`. */
export const resetCommand: Command = {
  name: 'reset',
  summary: 'remove the data that start keeps',
  usage: `grantlog reset

Removes the embedded database, the development secret, the credentials and the logs from DATA_DIR (.grantlog).
Refuses while an instance runs. A database at DATABASE_URL is not touched, nor are the secret and the
credentials that open it.`,
  run: async (argv, io) => {
    parseArgs({ args: [...argv], options: {} });
    const { reset } = await import('../launcher/reset.ts');
    return reset(io);
  },
};
