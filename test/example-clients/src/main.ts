import { commands, type Terminal } from './commands.ts';
import { readConfig, readEnvironment, usage } from './config.ts';
import { Failure } from './failure.ts';
import { explain } from './server.ts';
import { openSession } from './session.ts';

const terminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  tell: (line) => void process.stderr.write(`${line}\n`),
};

/** util.parseArgs throws errors with codes of this family for unknown options and missing values. */
const isWrongCommandLine = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS_');

const run = async (): Promise<number> => {
  try {
    const read = await readConfig(process.argv.slice(2), readEnvironment());
    if (read === 'help') {
      terminal.out(usage);
      return 0;
    }
    const { command, config } = read;
    await commands[command]({ config, session: openSession(config, terminal.tell), terminal });
    return 0;
  } catch (error) {
    const failure = error instanceof Failure ? error : explain(error);
    if (failure !== null) {
      terminal.tell(failure.message);
      return failure.exitCode;
    }
    if (isWrongCommandLine(error)) {
      terminal.tell(`${error.message}\n\n${usage}`);
      return 2;
    }
    // Its name and message alone: what an error carries besides may be a request, with a token in it.
    terminal.tell(error instanceof Error ? `${error.name}: ${error.message}` : 'Something unknown was thrown');
    return 1;
  }
};

process.exitCode = await run();
