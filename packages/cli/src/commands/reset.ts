import { parseArgs } from 'node:util';
import type { Command } from '../command.ts';

/** `grantlog reset`. */
export const resetCommand: Command = {
  name: 'reset',
  summary: 'remove the data that start keeps',
  usage: `grantlog reset

Removes the embedded database, the development secret, the credentials, the logs and the sample client's tokens from
DATA_DIR (.grantlog). Refuses while an instance runs. A database at DATABASE_URL is not touched, nor are the secret, the
credentials and the tokens that belong to it. Tokens of another server stay.`,
  run: async (argv, io) => {
    parseArgs({ args: [...argv], options: {} });
    const { reset } = await import('../launcher/reset.ts');
    return reset(io);
  },
};
