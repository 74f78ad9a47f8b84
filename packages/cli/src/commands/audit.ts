import { parseArgs } from 'node:util';
import { parseToken } from '@grantlog/crypto';
import { type GrantId, parseStreamId, type SessionId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { tellGrant } from '../audit/tell-grant.ts';
import { tellSession } from '../audit/tell-session.ts';
import { verifyAudit } from '../audit/verify/verify.ts';
import { type Command, UsageError } from '../command.ts';
import { databaseOf } from '../launcher/database-of.ts';

type Subject = 'grant' | 'session';

const isSubject = (text: string | undefined): text is Subject => text === 'grant' || text === 'session';

const idOf = (subject: Subject, text: string): StreamId => {
  const id = parseStreamId(text.toLowerCase());
  if (id !== null) return id;
  // Never repeated: it is a secret, and lies in the shell's history as it is.
  const token = parseToken(text);
  if (token !== null)
    throw new UsageError(`That is a token, which nobody should type here. What it stands for has the id ${token.payload.streamId}`);
  throw new UsageError(`"${text}" is not the id of a ${subject}, which looks like 019a3b5c-0000-7000-8000-000000000000`);
};

/** `grantlog audit`. */
export const auditCommand: Command = {
  name: 'audit',
  summary: 'read the audit trail, one grant or sign-up session, and verify that nobody has changed it',
  usage: `grantlog audit grant <id> [--platform <name>]
       grantlog audit session <id> [--platform <name>]
       grantlog audit verify --key <verifier key> [--checkpoint <file>]... --url <tree> [--token-file <file>]
       grantlog audit verify --key <verifier key> [--checkpoint <file>]... --platform <name>
       grantlog audit verify --key <verifier key> --checkpoint <file>... --export <file>

Prints a timeline from the log: what was allowed, to whom, every refresh and the end. The id of a grant is what
introspection calls grant_id and webhooks call grantId. A sign-up session is told with the grant that its person allowed;
its id is what webhooks call sessionId, not the secret that the agent has under that name. The database is DATABASE_URL,
else that of the instance here.

verify reads a log again, event by event, and says whether it is the one that was signed: of a live server (--url is the
issuer, then /audit/tree; an auditor's token shows the events), of the database, or of an export with one leaf a line. Each
--checkpoint is one that you have kept: without one, only what the log says of itself now is compared. Take the key from
/audit/tree once and keep it where nobody there can change it. The exit code is 1 where something does not fit.`,
  run: async (argv, io) => {
    if (argv[0] === 'verify') return verifyAudit(argv.slice(1), io);
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { platform: { type: 'string' } } });
    const [what, text, ...rest] = positionals;
    if (!isSubject(what) || text === undefined || rest.length > 0)
      throw new UsageError('Say which: grantlog audit grant <id>, or grantlog audit session <id>');
    const id = idOf(what, text);
    const where = { connectionString: await databaseOf(io), platform: values.platform ?? null };
    // Which kind of stream it is, the first event tells.
    const told =
      what === 'grant'
        ? await tellGrant({ ...where, grantId: id as GrantId })
        : await tellSession({ ...where, sessionId: id as SessionId });
    for (const line of told) io.out(line);
    return 0;
  },
};
