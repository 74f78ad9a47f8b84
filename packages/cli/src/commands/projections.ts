import { parseArgs } from 'node:util';
import { createPool, readSubscriptionLag } from '@grantlog/postgres';
import { auditIndex, clientList, grantList, requestRebuild } from '@grantlog/read-models';
import { type Command, UsageError } from '../command.ts';
import { databaseOf } from '../launcher/database-of.ts';

const projections = [grantList, clientList, auditIndex];

/** `grantlog projections`. */
export const projectionsCommand: Command = {
  name: 'projections',
  summary: 'see how far the consumers of the log have come; rebuild a projection beside the live one',
  usage: `grantlog projections [rebuild <name>]

Without arguments: every consumer of the log and how many events it is behind. With rebuild: makes the named projection
anew from the first event, beside the live one, and swaps it in when it has caught up; a running worker does the work.
Projections: ${projections.map((projection) => projection.name).join(', ')}. The database is DATABASE_URL, else that of the instance here.`,
  run: async (argv, io) => {
    const { positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: {} });
    const [action, name, ...rest] = positionals;
    const projection = projections.find((each) => each.name === name);
    if (action !== undefined && (action !== 'rebuild' || projection === undefined || rest.length > 0)) {
      throw new UsageError('Say what to rebuild, or nothing to see how far everything has come');
    }
    const pool = createPool({ connectionString: await databaseOf(io), role: 'grantlog_worker', max: 1 });
    try {
      if (projection !== undefined) {
        await requestRebuild(pool, projection);
        io.out(`${projection.name} will be rebuilt by the next worker that looks, and swapped in when it has caught up.`);
        return 0;
      }
      for (const lag of await readSubscriptionLag(pool))
        io.out(`${lag.name}: ${lag.events} events behind${lag.failing > 0 ? `, STOPPED on ${lag.failing} platforms` : ''}`);
      return 0;
    } finally {
      await pool.end();
    }
  },
};
