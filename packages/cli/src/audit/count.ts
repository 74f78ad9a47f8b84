import { parseArgs } from 'node:util';
import type { Command } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { filterOptions, filterUsage, readFilter } from './event-filter.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';

type Counted = {
  readonly count: number;
  readonly isExact: boolean;
  readonly types: readonly { readonly type: string; readonly count: number }[];
};

/** A count as lines, the most frequent type first. */
const tellCount = ({ count, isExact, types }: Counted): readonly string[] => {
  const rows = [...types.toSorted((one, other) => other.count - one.count), { type: isExact ? 'total' : 'at least', count }];
  const width = Math.max(...rows.map(({ type }) => type.length));
  const digits = String(count).length;
  return rows.map((row) => `${row.type.padEnd(width)}  ${String(row.count).padStart(digits)}`);
};

/** `grantlog audit count`. */
export const countCommand: Command = {
  name: 'count',
  summary: 'count events by type',
  usage: `grantlog audit count (--platform <name> | --url <issuer>) [<filter>...] [--json]

How many events there are of each type. The last line is the total: "at least" where there are more than a count looks at.

${filterUsage}

${serverUsage}

  grantlog audit count --platform along
  grantlog audit count --platform along --ip 203.0.113.7 --from 7d`,
  run: async (argv, io) => {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...serverOptions, ...filterOptions, json: { type: 'boolean', default: false } },
    });
    const filter = readFilter(values);
    const server = await findServer(values, io);
    const counted = await answerOf<Counted>(server, server.post('events/count', filter), 'count');
    for (const line of values.json ? [JSON.stringify(counted, null, 2)] : tellCount(counted)) io.out(line);
    return 0;
  },
};
