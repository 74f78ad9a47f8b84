import { parseArgs } from 'node:util';
import type { GrantId } from '@grantlog/domain';
import { parseStreamId } from '@grantlog/domain';
import { tellGrant } from '../audit/tell-grant.ts';
import { type Command, UsageError } from '../command.ts';
import { databaseOf } from '../launcher/database-of.ts';

/** `grantlog audit`. */
export const auditCommand: Command = {
  name: 'audit',
  summary: 'read the audit trail: one grant from its first event to its last',
  usage: `grantlog audit grant <id> [--platform <name>]

Prints a grant's timeline from the log: what was allowed, to whom, every refresh and its end. The id is what
introspection calls grant_id and webhooks call grantId. The database is DATABASE_URL, else that of the instance here.`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { platform: { type: 'string' } } });
    const [what, id, ...rest] = positionals;
    if (what !== 'grant' || id === undefined || rest.length > 0) throw new UsageError('Say which grant: grantlog audit grant <id>');
    const grantId = parseStreamId(id.toLowerCase());
    if (grantId === null) throw new UsageError(`"${id}" is not the id of a grant, which looks like 019a3b5c-0000-7000-8000-000000000000`);
    const told = await tellGrant({
      connectionString: await databaseOf(io),
      grantId: grantId as GrantId,
      platform: values.platform ?? null,
    });
    for (const line of told) io.out(line);
    return 0;
  },
};
