import { parseArgs } from 'node:util';
import type { GrantId } from '@grantlog/domain';
import { type Command, UsageError } from '../command.ts';
import { databaseOf } from '../launcher/database-of.ts';
import { answerOf } from './audit-server.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readAt } from './moment.ts';
import { readId } from './read-id.ts';
import { tellGrant } from './tell-grant.ts';
import { type ToldMoment, tellAsOf } from './tell-object.ts';
import type { ToldEvent } from './timeline.ts';

type GrantAsOf = { readonly grant: object; readonly at: ToldMoment; readonly events: readonly ToldEvent[] };

/** `grantlog audit grant`. */
export const grantCommand: Command = {
  name: 'grant',
  summary: 'tell a grant from its first event to its end, or show it as it was',
  usage: `grantlog audit grant <id> [--platform <name>]
       grantlog audit grant <id> --at <position|time> (--platform <name> | --url <issuer>) [--json]

The first prints its timeline from the log: what was allowed, to whom, every refresh and the end. It reads the database itself
(DATABASE_URL, else that of the instance here), so it is for who operates it. The id is what introspection calls grant_id and
webhooks call grantId.

With --at (or --url, or --json) a server is asked what the grant was then: what it allowed, whether it could act, and the events
that made it so. --at also takes how long ago: 90m, 24h, 7d.

${serverUsage}

  grantlog audit grant 019a3b5c-0000-7000-8000-000000000000
  grantlog audit grant 019a3b5c-0000-7000-8000-000000000000 --platform along --at 2026-11-07T14:03:00Z`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, at: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const [text, ...rest] = positionals;
    if (text === undefined || rest.length > 0) throw new UsageError('Say which: grantlog audit grant <id>');
    const grantId = readId('a grant', text) as GrantId; // which kind of stream it is, its first event tells
    const { platform = null } = values;
    if (values.at === undefined && values.url === undefined && values['token-file'] === undefined && !values.json) {
      for (const line of await tellGrant({ connectionString: await databaseOf(io), platform, grantId })) io.out(line);
      return 0;
    }
    const at = readAt(values.at);
    const server = await findServer(values, io);
    const found = await answerOf<GrantAsOf>(server, server.get(`grants/${grantId}`, at), 'grant');
    const told = values.json ? [JSON.stringify(found, null, 2)] : tellAsOf(`Grant ${grantId}`, found.grant, found);
    for (const line of told) io.out(line);
    return 0;
  },
};
