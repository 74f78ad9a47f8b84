import { parseArgs } from 'node:util';
import type { Command } from '../command.ts';

/** `grantlog start`. The launcher is loaded when it is run: `help` has no use for a database driver. */
export const startCommand: Command = {
  name: 'start',
  summary: 'run everything here: database, API and worker, with demonstration platforms',
  usage: `grantlog start [--verbose] [--no-seed]

  --verbose   show every log line of the services, not only warnings
  --no-seed   do not make the demonstration platforms and accounts

Without DATABASE_URL a Postgres of its own is started; without REDIS_URL the queue lives in Postgres too.
Everything kept lies in DATA_DIR (.grantlog). Other variables: PUBLIC_URL, PORT (4000), OPS_PORT (4001, the worker takes the
next one, the example resources the one after), HOST, GRANTLOG_SECRET, LOG_LEVEL; any of them may come from a file: DATABASE_URL_FILE.
^C stops all of it. A second start beside a running one prints where that one listens.`,
  run: async (argv, io) => {
    const { values } = parseArgs({
      args: [...argv],
      options: { verbose: { type: 'boolean', default: false }, 'no-seed': { type: 'boolean', default: false } },
    });
    const { start } = await import('../launcher/start.ts');
    const { productionParts } = await import('../launcher/parts.ts');
    return start({ io, verbose: values.verbose, parts: { ...productionParts, seed: values['no-seed'] ? null : productionParts.seed } });
  },
};
