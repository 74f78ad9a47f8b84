import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createPool, parseMonth } from '@grantlog/postgres';
import { type Command, UsageError } from '../../command.ts';
import { databaseOf } from '../../launcher/database-of.ts';
import { secretsOf } from '../../launcher/secret-of.ts';
import { Problem, unlessMissing } from '../../problem.ts';
import { openProvisioning } from '../../seed/open-provisioning.ts';
import { archiveMonth } from './archive-month.ts';

const day = 86_400_000;
/** Webhooks are kept for 30 days, and may be sent again for as long. */
const youngest = 31;

/** `grantlog audit archive`. */
export const archiveCommand: Command = {
  name: 'archive',
  summary: 'write an old month of the log to files that prove themselves, and take what is over out of it',
  usage: `grantlog audit archive <month> --to <folder>

Takes the streams that began in a month (UTC, as 2026-03) and are over: ended grants, sessions and sign-ins, and readings on record.
What lives stays, and so does what that stands on. Each platform gets a file: the events as they stand in the log, their personal
data sealed as it is, and hashes that prove them by the platform's key alone. The file is read back from the disk and verified, its
digest is recorded in the log, and only then the month's partition is exchanged for what stays. Writers wait half a second at most.

A month is old enough ${youngest} days after its end. Ask it again when more of it is over: the next file is <platform>-<month>-2.
The database is DATABASE_URL, else that of the instance here; the secret is GRANTLOG_SECRET.

  grantlog audit archive 2026-03 --to /var/lib/grantlog/archives
  grantlog audit verify --key <verifier key> --export /var/lib/grantlog/archives/along-2026-03.ndjson.gz
  grantlog audit archived /var/lib/grantlog/archives/along-2026-03.ndjson.gz --type grant.revoked`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { to: { type: 'string' } } });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0 || values.to === undefined)
      throw new UsageError('Say which month, and where to: grantlog audit archive 2026-03 --to <folder>');
    const month = parseMonth(name);
    if (month === null) throw new UsageError(`"${name}" is no month: they are as 2026-03`);
    const now = Date.now();
    if (now < month.endedAt + youngest * day)
      throw new Problem(
        `${name} is too young: what happened in it may still be told again`,
        `archive it from ${new Date(month.endedAt + youngest * day).toISOString().slice(0, 10)} on`,
      );
    const folder = resolve(values.to);
    if (!((await unlessMissing(stat(folder)))?.isDirectory() ?? false)) throw new Problem(`There is no folder ${folder}`, 'make it first');
    const connectionString = await databaseOf(io);
    const provisioning = openProvisioning({ connectionString, secrets: await secretsOf(io) });
    // A statement that goes through a month takes as long as it takes.
    const patient = { connectionString, replyTimeout: 3_600_000 };
    const owner = createPool({ ...patient, role: 'grantlog_migrate', max: 3 });
    const worker = createPool({ ...patient, role: 'grantlog_worker', max: 1 });
    try {
      const archived = await archiveMonth(
        { provisioning, owner, worker },
        { month, folder, now, onProgress: (line) => io.note(`· ${line}`) },
      );
      if (archived.length === 0) io.out(`Nothing began in ${name}.`);
      for (const { platform, archive, path, stays } of archived) {
        if (archive === null || path === null) {
          io.out(`${platform}: nothing is over yet; ${stays} streams live.`);
          continue;
        }
        io.out(
          `${platform}: ${archive.events} events of ${archive.streams} streams are in ${path} and left the log; ${stays} streams stay.`,
        );
        io.out(`  SHA-256 ${Buffer.from(archive.digest).toString('hex')}, recorded in the log. Keep the file: there is no other copy.`);
      }
      return 0;
    } finally {
      await provisioning.close();
      await owner.end();
      await worker.end();
    }
  },
};
