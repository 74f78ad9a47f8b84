import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readAt } from './moment.ts';
import { plainText } from './plain-text.ts';
import { refuseToken } from './read-id.ts';
import { type ToldMoment, tellAsOf } from './tell-object.ts';
import type { ToldEvent } from './timeline.ts';

type ClientAsOf = { readonly client: object; readonly at: ToldMoment; readonly events: readonly ToldEvent[] };

/** `grantlog audit client`. */
export const clientCommand: Command = {
  name: 'client',
  summary: 'show a client as it was, and what made it so',
  usage: `grantlog audit client <client id> (--platform <name> | --url <issuer>) [--at <position|time>] [--json]

A client as it stood at a position or a time of the log, or stands now: its settings, and the events that made it so. --at also
takes how long ago: 90m, 24h, 7d.

${serverUsage}

  grantlog audit client along-agent --platform along
  grantlog audit client https://client.example/metadata.json --platform along --at 1042`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, at: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const [clientId, ...rest] = positionals;
    if (clientId === undefined || clientId === '' || rest.length > 0) throw new UsageError('Say which: grantlog audit client <client id>');
    refuseToken(clientId);
    const at = readAt(values.at);
    const server = await findServer(values, io);
    const found = await answerOf<ClientAsOf>(server, server.get(`clients/${encodeURIComponent(clientId)}`, at), 'client');
    const told = values.json ? [JSON.stringify(found, null, 2)] : tellAsOf(`Client ${plainText(clientId)}`, found.client, found);
    for (const line of told) io.out(line);
    return 0;
  },
};
