import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readId } from './read-id.ts';
import { type ToldEvent, timeline } from './timeline.ts';

type Delivery = {
  readonly type: string;
  readonly position: number;
  readonly endpointId: string;
  readonly status: string;
  readonly attempts: number;
};
type Lineage = {
  readonly grantId: string;
  readonly exchanged: readonly string[];
  readonly isWhole: boolean;
  readonly events: readonly ToldEvent[];
  readonly deliveries: readonly Delivery[];
};

/** What one authorization led to, in lines: the story, then who was told. */
const tellLineage = ({ grantId, exchanged, isWhole, events, deliveries }: Lineage): readonly string[] => [
  `Grant ${grantId}, ${events.length} events with what came before it and of it`,
  ...exchanged.map((id) => `  by token exchange from it: grant ${id}`),
  ...(isWhole ? [] : ['  its account has too many grants to look through all of them: some by token exchange may be missing']),
  ...timeline(events),
  deliveries.length === 0 ? 'No webhook of the last 30 days told of it' : `Webhooks that told of it, ${deliveries.length}`,
  ...deliveries.map(
    ({ type, position, endpointId, status, attempts }) =>
      `  position ${position}  ${type}  to endpoint ${endpointId}: ${status} after ${attempts} attempts`,
  ),
];

/** `grantlog audit lineage`. */
export const lineageCommand: Command = {
  name: 'lineage',
  summary: 'tell everything that one authorization led to',
  usage: `grantlog audit lineage <grant id> (--platform <name> | --url <issuer>) [--json]

Everything that one authorization led to, in the order of the log: the sign-in and the sign-up session before it, its tokens, what
was exchanged for them, its end, and the webhooks that told of it.

${serverUsage}

  grantlog audit lineage 019a3b5c-0000-7000-8000-000000000000 --platform along`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, json: { type: 'boolean', default: false } },
    });
    const [text, ...rest] = positionals;
    if (text === undefined || rest.length > 0) throw new UsageError('Say which: grantlog audit lineage <grant id>');
    const grantId = readId('a grant', text);
    const server = await findServer(values, io);
    const found = await answerOf<Lineage>(server, server.get(`grants/${grantId}/lineage`), 'exchanged');
    for (const line of values.json ? [JSON.stringify(found, null, 2)] : tellLineage(found)) io.out(line);
    return 0;
  },
};
