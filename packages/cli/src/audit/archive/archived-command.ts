import { parseArgs } from 'node:util';
import type { CommitId, StreamId } from '@grantlog/eventsourcing';
import { type Command, UsageError } from '../../command.ts';
import { filterOptions, readFilter } from '../event-filter.ts';
import { eventColumns, eventLine } from '../event-line.ts';
import { timeline } from '../timeline.ts';
import { type ArchiveFilter, matching } from './query.ts';
import { readExcerptFile } from './read-file.ts';

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

/** `grantlog audit archived`. */
export const archivedCommand: Command = {
  name: 'archived',
  summary: 'ask a file of archived events, or any excerpt, without a server',
  usage: `grantlog audit archived <file> [<filter>...] [--details | --json]

Prints the events of a file that fit, in the order of the log: of an archive (grantlog audit archive) or of an export in the format
excerpt, gzipped or not. The filters are those of grantlog audit events, but for emails and addresses, which no file has in clear;
a client also goes by the id of its stream. The file is believed as it is: grantlog audit verify --export says whether it is right.

  grantlog audit archived along-2026-03.ndjson.gz --grant 019a3b5c-0000-7000-8000-000000000000 --details
  grantlog audit archived along-2026-03.ndjson.gz --client my-agent --type 'grant.*' --json | jq .data`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...filterOptions, details: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError('Say which file: grantlog audit archived <file>');
    if (values.details && values.json) throw new UsageError('--json shows everything already: leave --details out');
    const filter = filterOf(readFilter(values));
    let shown = 0;
    for await (const { personal, platform: _, recordedAt, ...event } of matching(readExcerptFile(path), filter)) {
      const told = { ...event, recordedAt: new Date(recordedAt).toISOString(), hasPersonal: personal !== null };
      if (shown === 0 && !values.details && !values.json) io.out(eventColumns);
      shown += 1;
      if (values.details) for (const line of timeline([told])) io.out(line);
      else io.out(values.json ? JSON.stringify(told) : eventLine(told));
      await io.drained?.();
    }
    if (shown === 0) io.note(`No events of ${path} fit.`);
    return 0;
  },
};
