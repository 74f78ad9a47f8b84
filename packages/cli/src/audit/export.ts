import { parseArgs } from 'node:util';
import { parseNote } from '@grantlog/transparency';
import { type Command, type CommandIo, UsageError } from '../command.ts';
import { Problem } from '../problem.ts';
import { piecesOf } from './audit-server.ts';
import { filterOptions, filterUsage, readFilter } from './event-filter.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readGiven } from './read-given.ts';
import { requireUnwritten, saveFile } from './save-file.ts';

const formats: readonly string[] = ['ndjson', 'csv', 'excerpt'];
const newline = 0x0a;

const cutShort = (): Problem => new Problem('The export ends within a line, so it is not whole', 'export again');

/** Passes pieces on, counting their lines; an end within a line is an error, whatever the connection says. */
const wholeLines = (pieces: AsyncIterable<Uint8Array>) => {
  let lines = 0;
  const read = async function* (): AsyncGenerator<Uint8Array> {
    let last = newline;
    for await (const piece of pieces) {
      for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) lines += 1;
      last = piece.at(-1) ?? last;
      yield piece;
    }
    if (last !== newline) throw cutShort();
  };
  return { pieces: read(), lines: () => lines };
};

/** How many events a checkpoint that was kept is of. @throws Problem where the file is none */
const sizeOfCheckpoint = async (path: string): Promise<number> => {
  const note = parseNote(`${await readGiven(path)}\n`);
  const size = Number(note?.text.split('\n')[1] ?? 'none');
  if (!Number.isSafeInteger(size)) throw new Problem(`${path} is no checkpoint`, 'give a file that /audit/tree/checkpoint answered with');
  return size;
};

/** Prints pieces line by line, holding no more than one. */
const print = async (pieces: AsyncIterable<Uint8Array>, io: CommandIo): Promise<void> => {
  const decoder = new TextDecoder();
  let begun = '';
  for await (const piece of pieces) {
    const lines = (begun + decoder.decode(piece, { stream: true })).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) io.out(line);
    await io.drained?.();
  }
};

/** `grantlog audit export`. */
export const exportCommand: Command = {
  name: 'export',
  summary: 'export events to a file, however many there are',
  usage: `grantlog audit export (--platform <name> | --url <issuer>) [<filter>...] [--format ndjson|csv|excerpt] [--output <file>]
                      [--checkpoint <file>...]

All events that fit, the oldest first: as a line of JSON each (ndjson), as a table (csv), or with what proves that they are in the
log (excerpt), which grantlog audit verify takes. Without --output they are printed. With it they are written to <file>.part, which
becomes <file> when everything is there; where the answer breaks off, nothing is left and the exit code is 1. A file that is there
already is not written over.

An excerpt can be compared with checkpoints of before that you have kept where they are named: --checkpoint <file>, for each.

${filterUsage}

${serverUsage}

  grantlog audit export --platform along --output along.ndjson
  grantlog audit export --platform along --client my-agent --from 2026-11-01T00:00:00Z --format csv --output agent.csv
  grantlog audit export --platform along | gzip > along.ndjson.gz`,
  run: async (argv, io) => {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...serverOptions,
        ...filterOptions,
        format: { type: 'string', default: 'ndjson' },
        output: { type: 'string' },
        checkpoint: { type: 'string', multiple: true },
      },
    });
    const { format, output } = values;
    if (!formats.includes(format)) throw new UsageError(`--format is one of ${formats.join(', ')}`);
    const filter = readFilter(values);
    if (values.checkpoint !== undefined && format !== 'excerpt') throw new UsageError('--checkpoint goes with --format excerpt');
    const kept = await Promise.all((values.checkpoint ?? []).map(sizeOfCheckpoint));
    if (output !== undefined) await requireUnwritten(output);
    const server = await findServer(values, io);
    const { pieces, lines } = wholeLines(
      piecesOf(server, await server.post('events/export', { ...filter, format, ...(kept.length === 0 ? {} : { checkpoint: kept }) })),
    );
    if (output === undefined) {
      await print(pieces, io);
      return 0;
    }
    await saveFile(output, pieces);
    io.note(`${output} has ${lines()} lines.`);
    return 0;
  },
};
