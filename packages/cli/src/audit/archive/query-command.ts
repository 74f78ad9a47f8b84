import { parseArgs } from 'node:util';
import type { CommitId, StreamId } from '@grantlog/eventsourcing';
import { type CommandIo, UsageError } from '../../command.ts';
import { timeline } from '../timeline.ts';
import { type ArchiveFilter, matching } from './query.ts';
import { readExcerptFile } from './read-file.ts';

const positionOf = (name: string, text: string): number => {
  const position = Number(text);
  if (!Number.isSafeInteger(position) || position < 1) throw new UsageError(`--${name} is a position: a whole number from 1`);
  return position;
};

const instantOf = (name: string, text: string): number => {
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) throw new UsageError(`--${name} is a time with its zone, such as 2026-11-07T14:03:00Z`);
  return instant;
};

/** `grantlog audit archived`. */
export const queryArchive = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      account: text,
      client: text,
      grant: text,
      session: text,
      stream: text,
      actor: text,
      type: { ...text, multiple: true },
      trace: text,
      commit: text,
      from: text,
      to: text,
      since: text,
      until: text,
      json: { type: 'boolean', default: false },
    },
  });
  const [path, ...rest] = positionals;
  if (path === undefined || rest.length > 0) throw new UsageError('Say which file: grantlog audit archived <file>');
  const { account, client, grant, session, stream, actor, type, trace, commit, from, to, since, until } = values;
  const filter: ArchiveFilter = {
    ...(account === undefined ? {} : { account: account as StreamId }),
    ...(client === undefined ? {} : { client }),
    ...(grant === undefined ? {} : { grant: grant as StreamId }),
    ...(session === undefined ? {} : { session: session as StreamId }),
    ...(stream === undefined ? {} : { stream: stream as StreamId }),
    ...(actor === undefined ? {} : { actor: { id: actor } }),
    ...(type === undefined ? {} : { types: type.flatMap((each) => each.split(',')) }),
    ...(trace === undefined ? {} : { trace }),
    ...(commit === undefined ? {} : { commit: commit as CommitId }),
    ...(from === undefined ? {} : { from: positionOf('from', from) }),
    ...(to === undefined ? {} : { to: positionOf('to', to) }),
    ...(since === undefined ? {} : { since: instantOf('since', since) }),
    ...(until === undefined ? {} : { until: instantOf('until', until) }),
  };
  let found = 0;
  for await (const event of matching(readExcerptFile(path), filter)) {
    found += 1;
    if (!values.json) for (const line of timeline([event])) io.out(line);
    else {
      const { personal, platform: _, recordedAt, ...rest } = event;
      io.out(JSON.stringify({ ...rest, recordedAt: new Date(recordedAt).toISOString(), hasPersonal: personal !== null }));
    }
  }
  if (!values.json) io.note(`${found} events fit.`);
  return 0;
};
