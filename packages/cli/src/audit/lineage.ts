import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { plainText } from './plain-text.ts';
import { readId } from './read-id.ts';
import { type ToldEvent, timeline } from './timeline.ts';

type Delivery = {
  readonly type: string;
  readonly position: number;
  readonly endpointId: string;
  readonly status: string;
  readonly attempts: number;
};
type GrantLineage = {
  readonly grantId: string;
  readonly exchanged: readonly string[];
  readonly isWhole: boolean;
  readonly events: readonly ToldEvent[];
  readonly deliveries: readonly Delivery[];
};

type RequestLineage = {
  readonly correlation: string;
  readonly askedBy: readonly { readonly kind: string; readonly id: string }[];
  readonly isWhole: boolean;
  readonly events: readonly ToldEvent[];
  readonly deliveries: readonly Delivery[];
};

const tellDeliveries = (deliveries: readonly Delivery[]): readonly string[] => [
  deliveries.length === 0 ? 'No webhook of the last 30 days told of it' : `Webhooks that told of it, ${deliveries.length}`,
  ...deliveries.map(
    ({ type, position, endpointId, status, attempts }) =>
      `  position ${position}  ${type}  to endpoint ${endpointId}: ${status} after ${attempts} attempts`,
  ),
];

/** What one authorization led to, in lines: the story, then who was told. */
const tellGrant = ({ grantId, exchanged, isWhole, events, deliveries }: GrantLineage): readonly string[] => [
  `Grant ${grantId}, ${events.length} events with what came before it and of it`,
  ...exchanged.map((id) => `  by token exchange from it: grant ${id}`),
  ...(isWhole ? [] : ['  its account has too many grants to look through all of them: some by token exchange may be missing']),
  ...timeline(events),
  ...tellDeliveries(deliveries),
];

/** What one request led to, in lines. */
const tellRequest = ({ correlation, askedBy, isWhole, events, deliveries }: RequestLineage): readonly string[] => [
  `Request ${plainText(correlation)} of ${askedBy.map(({ kind, id }) => `${kind} ${plainText(id)}`).join(', ')}, ${events.length} events`,
  ...(isWhole ? [] : ['  there is more of it than one answer shows']),
  ...timeline(events),
  ...tellDeliveries(deliveries),
];

/** `grantlog audit lineage`. */
export const lineageCommand: Command = {
  name: 'lineage',
  summary: 'tell everything that one authorization, or one request, led to',
  usage: `grantlog audit lineage (<grant id> | --request <id>) (--platform <name> | --url <issuer>) [--json]

Everything that one authorization led to, in the order of the log: the sign-in and the sign-up session before it, its tokens, what
was exchanged for them, its end, and the webhooks that told of it. Or everything that one request led to: its events, what came of
them whenever that was, and who was told. A request is named by the correlation id of an event, or by a trace id.

${serverUsage}

  grantlog audit lineage 019a3b5c-0000-7000-8000-000000000000 --platform along
  grantlog audit lineage --request 0af7651916cd43dd8448eb211c80319c --platform along`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, request: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const [text, ...rest] = positionals;
    const { request, json } = values;
    if ((text === undefined) === (request === undefined) || rest.length > 0)
      throw new UsageError('Say which: grantlog audit lineage <grant id>, or grantlog audit lineage --request <id>');
    const grantId = text === undefined ? null : readId('a grant', text);
    const server = await findServer(values, io);
    const show = (found: object, told: readonly string[]): void => {
      for (const line of json ? [JSON.stringify(found, null, 2)] : told) io.out(line);
    };
    if (grantId === null) {
      const asked = server.get(`requests/${encodeURIComponent(request ?? '')}/lineage`);
      const found = await answerOf<RequestLineage>(server, asked, 'askedBy');
      show(found, tellRequest(found));
    } else {
      const found = await answerOf<GrantLineage>(server, server.get(`grants/${grantId}/lineage`), 'exchanged');
      show(found, tellGrant(found));
    }
    return 0;
  },
};
