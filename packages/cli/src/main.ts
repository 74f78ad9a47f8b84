import { once } from 'node:events';
import { dispatch } from './command.ts';
import { commands } from './command-table.ts';
import { readEnvironment } from './environment.ts';
import { systemErrorCode } from './problem.ts';

/** Whoever reads the results has had enough, as `head` has: the end that a signal would bring, 128 + SIGPIPE. */
process.stdout.on('error', (error) => {
  if (systemErrorCode(error) === 'EPIPE') process.exit(141);
  throw error;
});

/** The command's own teardown is over when it answers, so nothing that still holds the event loop may keep the process. */
const code = await dispatch(commands, process.argv.slice(2), {
  environment: readEnvironment(),
  out: (line) => void process.stdout.write(`${line}\n`),
  drained: async () => {
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  },
  note: (line) => void process.stderr.write(`${line}\n`),
});
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
