import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { CommitId, StreamId } from '@grantlog/eventsourcing';
import { recordAuditRead } from '@grantlog/provisioning';
import { type Command, type CommandIo, UsageError } from '../../command.ts';
import { databaseOf } from '../../launcher/database-of.ts';
import { secretsOf } from '../../launcher/secret-of.ts';
import { openProvisioning } from '../../seed/open-provisioning.ts';
import { filterOptions, readFilter } from '../event-filter.ts';
import { eventColumns, eventLine } from '../event-line.ts';
import { plainText } from '../plain-text.ts';
import { timeline } from '../timeline.ts';
import { createOpener, type OpenedPart } from './open-personal.ts';
import { type ArchiveFilter, matching } from './query.ts';
import { type FiledEvent, readExcerptFile } from './read-file.ts';

const by = { actor: { kind: 'system', id: 'command line' }, correlationId: 'grantlog audit archived' } as const;

type Asked = {
  readonly account?: string;
  readonly email?: string;
  readonly clientId?: string;
  readonly grant?: string;
  readonly session?: string;
  readonly stream?: string;
  readonly actor?: string;
  readonly actorKind?: 'account' | 'client' | 'operator' | 'system';
  readonly type?: string;
  readonly ip?: string;
  readonly trace?: string;
  readonly commit?: string;
  readonly from?: number;
  readonly to?: number;
  readonly since?: string;
  readonly until?: string;
};

const instantOf = (text: string): number => {
  const instant = Date.parse(text);
  if (Number.isNaN(instant)) throw new UsageError(`"${text}" is no time: the calendar has no such day`);
  return instant;
};

/** The same question as a server is asked, of a file. @throws UsageError for what no file can tell */
const filterOf = (asked: Asked): ArchiveFilter => {
  const { account, email, clientId, grant, session, stream, actor, actorKind, type, ip, trace, commit, from, to, since, until } = asked;
  if (email !== undefined) throw new UsageError('A file names nobody by email: give --account the id, which the server finds');
  if (ip !== undefined) throw new UsageError('A file has addresses sealed alone: it cannot be asked by --ip');
  return {
    ...(account === undefined ? {} : { account: account as StreamId }),
    ...(clientId === undefined ? {} : { client: clientId }),
    ...(grant === undefined ? {} : { grant: grant as StreamId }),
    ...(session === undefined ? {} : { session: session as StreamId }),
    ...(stream === undefined ? {} : { stream: stream as StreamId }),
    ...(actor === undefined ? {} : { actor: { id: actor, ...(actorKind === undefined ? {} : { kind: actorKind }) } }),
    ...(type === undefined ? {} : { types: type.split(',') }),
    ...(trace === undefined ? {} : { trace }),
    ...(commit === undefined ? {} : { commit: commit as CommitId }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(since === undefined ? {} : { since: instantOf(since) }),
    ...(until === undefined ? {} : { until: instantOf(until) }),
  };
};

/** Opens what is sealed, where the database and the secret are at hand; that somebody does is on record before anything is told. */
const openHere = async (io: CommandIo, path: string, { account, client, grant, session }: ArchiveFilter) => {
  const context = openProvisioning({ connectionString: await databaseOf(io), secrets: await secretsOf(io) });
  const open = createOpener(context);
  let isRecorded = false;
  const about = Object.fromEntries(Object.entries({ account, client, grant, session }).filter(([, value]) => value !== undefined));
  return {
    read: async (event: FiledEvent, subjects: readonly (StreamId | null)[]): Promise<OpenedPart> => {
      if (!isRecorded)
        await recordAuditRead(context, by, { platform: event.platform, question: 'export', about: { ...about, archive: basename(path) } });
      isRecorded = true;
      return open(event, subjects);
    },
    close: context.close,
  };
};

/** `grantlog audit archived`. */
export const archivedCommand: Command = {
  name: 'archived',
  summary: 'ask a file of archived events, or any excerpt, without a server',
  usage: `grantlog audit archived <file> [<filter>...] [--details | --json] [--open]

Prints the events of a file that fit, in the order of the log: of an archive (grantlog audit archive) or of an export in the format
excerpt, gzipped or not. The filters are those of grantlog audit events, but for emails and addresses, which no file has in clear;
a client also goes by the id of its stream. The file is believed as it is: grantlog audit verify --export says whether it is right.

--open shows what is personal in them, which is sealed in the file: with the data keys that the database still has (DATABASE_URL,
GRANTLOG_SECRET), so nothing of who was erased. That it was opened is recorded in the log. For whoever asks what is kept about them.

  grantlog audit archived along-2026-03.ndjson.gz --grant 019a3b5c-0000-7000-8000-000000000000 --details
  grantlog audit archived along-2026-03.ndjson.gz --client my-agent --type 'grant.*' --json | jq .data`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...filterOptions,
        details: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        open: { type: 'boolean', default: false },
      },
    });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError('Say which file: grantlog audit archived <file>');
    if (values.details && values.json) throw new UsageError('--json shows everything already: leave --details out');
    const filter = filterOf(readFilter(values));
    const { details, json, open } = values;
    if (open && !details && !json) throw new UsageError('--open goes with --details or --json, which show what is in an event');
    const opened = open ? await openHere(io, path, filter) : null;
    try {
      let shown = 0;
      for await (const { event, account, session } of matching(readExcerptFile(path), filter)) {
        const { personal: _, platform: __, recordedAt, ...rest } = event;
        const told = { ...rest, recordedAt: new Date(recordedAt).toISOString() };
        if (shown === 0 && !details && !json) io.out(eventColumns);
        shown += 1;
        const personal = opened === null ? undefined : await opened.read(event, [account, session]);
        if (json) io.out(JSON.stringify(personal === undefined ? told : { ...told, personal }));
        else if (!details) io.out(eventLine(told));
        else {
          for (const line of timeline([told])) io.out(line);
          if (personal !== undefined && personal !== null) io.out(`    personal: ${plainText(JSON.stringify(personal))}`);
        }
        await io.drained?.();
      }
      if (shown === 0) io.note(`No events of ${path} fit.`);
      return 0;
    } finally {
      await opened?.close();
    }
  },
};
