import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { bytesOf } from './audit-server.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { saveOrPrint } from './save-or-print.ts';

/** `grantlog audit receipt`. */
export const receiptCommand: Command = {
  name: 'receipt',
  summary: 'fetch the proof that an event is in the log',
  usage: `grantlog audit receipt <position> (--platform <name> | --url <issuer>) [--output <file>]

A receipt of the event at a position, a .tlog-proof with the event in it: it proves offline that the log has it, to whoever believes
the key that audit tree shows. It is printed, or written to a file that is not there yet.

${serverUsage}

  grantlog audit receipt 1042 --platform along --output revocation.tlog-proof`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, output: { type: 'string' } },
    });
    const [position = '', ...rest] = positionals;
    if (!/^[1-9]\d{0,14}$/.test(position) || rest.length > 0)
      throw new UsageError('Say of which position: grantlog audit receipt <position>, such as 1042');
    await saveOrPrint(io, values.output, async () => {
      const server = await findServer(values, io);
      return bytesOf(server, server.get(`receipts/${position}`));
    });
    return 0;
  },
};
