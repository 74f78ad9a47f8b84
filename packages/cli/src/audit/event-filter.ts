import { UsageError } from '../command.ts';
import { readMoment } from './moment.ts';
import { readAccount, readId } from './read-id.ts';

/** By what events are asked for. */
export const filterOptions = {
  account: { type: 'string' },
  client: { type: 'string' },
  grant: { type: 'string' },
  session: { type: 'string' },
  stream: { type: 'string' },
  actor: { type: 'string' },
  type: { type: 'string', multiple: true },
  ip: { type: 'string' },
  trace: { type: 'string' },
  commit: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const;

/** The same in words, for each subcommand's help. */
export const filterUsage = `Everything that is given has to hold:
  --account <id|email>     whom they concern          --actor [<kind>:]<id>   who caused them; kind is account, client,
  --client <client id>                                                        operator or system
  --grant <id>                                        --ip <address>          where they came from
  --session <id>                                      --trace <id>            the request; a traceparent does, too
  --stream <id>            where they stand           --commit <id>
  --type <type>            such as grant.revoked, or grant.* for all of a kind; repeat it for several
  --from, --to             a position (1042), a time with its zone (2026-11-07T14:03:00Z), or so long ago (90m, 24h, 7d)`;

type Given = {
  readonly [Name in keyof typeof filterOptions]?: (Name extends 'type' ? readonly string[] : string) | undefined;
};

const actorOf = (text: string): object => {
  const [, actorKind, id] = /^(account|client|operator|system):(.+)$/.exec(text) ?? [];
  return actorKind === undefined ? { actor: text } : { actorKind, actor: id };
};

const edge = (option: 'from' | 'to', text: string): object => {
  const moment = readMoment(`--${option}`, text);
  if (moment.kind === 'time') return { [option === 'from' ? 'since' : 'until']: moment.time };
  if (moment.position === 0) throw new UsageError(`--${option} is a position from 1 on`);
  return { [option]: moment.position };
};

/** What the options of a command line ask for, as the server takes it. @throws UsageError for an id or a moment that is none */
export const readFilter = (given: Given): object => {
  const { account, client, grant, session, stream, actor, type, ip, trace, commit, from, to } = given;
  return {
    ...(account === undefined ? {} : readAccount(account)),
    ...(client === undefined ? {} : { clientId: client }),
    ...(grant === undefined ? {} : { grant: readId('a grant', grant) }),
    ...(session === undefined ? {} : { session: readId('a session', session) }),
    ...(stream === undefined ? {} : { stream: readId('a stream', stream) }),
    ...(actor === undefined ? {} : actorOf(actor)),
    ...(type === undefined ? {} : { type: type.join(',') }),
    ...(ip === undefined ? {} : { ip }),
    // A timeline shows the whole traceparent, so that is what is at hand.
    ...(trace === undefined ? {} : { trace: /^[\da-f]{2}-([\da-f]{32})-/.exec(trace)?.[1] ?? trace }),
    ...(commit === undefined ? {} : { commit }),
    ...(from === undefined ? {} : edge('from', from)),
    ...(to === undefined ? {} : edge('to', to)),
  };
};
