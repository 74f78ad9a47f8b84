import { parseArgs } from 'node:util';
import type { SessionId } from '@grantlog/domain';
import { readId } from '../audit/read-id.ts';
import { auditSubcommands } from '../audit/subcommands.ts';
import { tellSession } from '../audit/tell-session.ts';
import { verifyAudit } from '../audit/verify/verify.ts';
import { type Command, UsageError } from '../command.ts';
import { databaseOf } from '../launcher/database-of.ts';
import { listCommands } from './help.ts';

/** `grantlog audit`. */
export const auditCommand: Command = {
  name: 'audit',
  summary: 'ask the audit trail, tell a grant or a sign-up session, and verify that nobody has changed it',
  subcommands: auditSubcommands,
  usage: `grantlog audit <question> [options]
       grantlog audit grant <id> [--platform <name>]
       grantlog audit session <id> [--platform <name>]
       grantlog audit verify --key <verifier key> [--witness <verifier key>]... [--checkpoint <file>]... --url <tree> [--token-file <file>]
       grantlog audit verify --key <verifier key> [--witness <verifier key>]... [--checkpoint <file>]... --platform <name>
       grantlog audit verify --key <verifier key> [--witness <verifier key>]... [--checkpoint <file>]... --export <file>

${listCommands(auditSubcommands).join('\n')}

grantlog help audit <question> explains one. They ask a server, which records every reading of other people's data: the instance
here by --platform <name>, asked as its operator, or any by --url <issuer> and an auditor's token (--token-file, GRANTLOG_AUDIT_TOKEN).

grant and session print a timeline from the log: what was allowed, to whom, every refresh and the end. The id of a grant is what
introspection calls grant_id and webhooks call grantId. A sign-up session is told with the grant that its person allowed;
its id is what webhooks call sessionId, not the secret that the agent has under that name. The database is DATABASE_URL,
else that of the instance here.

verify reads a log again, event by event, and says whether it is the one that was signed: of a live server (--url is the
issuer, then /audit/tree; an auditor's token shows the events), of the database, or of an excerpt in a file (--export; .gz
by its name), which /audit/events/export?format=excerpt gives and which is verified offline. Each --checkpoint is one that
you have kept: without one, only what the log says of itself is compared. Each --witness is the verifier key of somebody who
has to have cosigned it as well: of an excerpt, its checkpoint or one that it was compared with. Take the key from /audit/tree
once and keep it where nobody there can change it. The exit code is 1 where something does not fit.`,
  run: async (argv, io) => {
    if (argv[0] === 'verify') return verifyAudit(argv.slice(1), io);
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { platform: { type: 'string' } } });
    const [what, text, ...rest] = positionals;
    if (what !== 'session' || text === undefined || rest.length > 0)
      throw new UsageError('Say which: grantlog audit session <id>, or one of the questions below');
    const sessionId = readId('a session', text) as SessionId; // which kind of stream it is, its first event tells
    const told = await tellSession({ connectionString: await databaseOf(io), platform: values.platform ?? null, sessionId });
    for (const line of told) io.out(line);
    return 0;
  },
};
