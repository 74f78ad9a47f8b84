import type { Environment } from './environment.ts';
import { Problem } from './problem.ts';

/** What a command may touch besides its arguments. */
export type CommandIo = {
  readonly environment: Environment;
  /** Results: one line of standard output. */
  out(line: string): void;
  /** Resolves when there is room for more results: for commands that have more of them than memory. */
  drained?(): Promise<void>;
  /** Progress, warnings and errors: one line of standard error. */
  note(line: string): void;
};

/** One subcommand of `grantlog`. */
export type Command = {
  readonly name: string;
  /** Half a line, for the list of commands. */
  readonly summary: string;
  /** What `grantlog help <name>` prints: the arguments, the options and the variables that matter. */
  readonly usage: string;
  /** Commands of its own that its first argument may name; each explains itself. */
  readonly subcommands?: readonly Command[];
  /** Returns the exit code. A {@link Problem} or {@link UsageError} that it throws becomes one message. */
  run(argv: readonly string[], io: CommandIo): Promise<number>;
};

/** The command line itself is wrong: exit code 2, by convention. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Runs the command that `argv` names, and turns what it throws into a message and an exit code:
 * 2 for a wrong command line, 1 for a problem the person can put right. A defect passes through, with its stack.
 */
export const dispatch = async (commands: readonly Command[], argv: readonly string[], io: CommandIo): Promise<number> => {
  const [name = 'help', ...rest] = argv;
  const wanted = name === '--help' || name === '-h' ? 'help' : name;
  const command = commands.find((candidate) => candidate.name === wanted);
  if (command === undefined) {
    io.note(`There is no command "${name}". There are: ${commands.map((known) => known.name).join(', ')}.`);
    return 2;
  }
  const { subcommands = [] } = command;
  if (subcommands.some((each) => each.name === rest[0])) return dispatch(subcommands, rest, io);
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(command.usage);
    return 0;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    if (error instanceof Problem) {
      io.note(error.message);
      return 1;
    }
    if (error instanceof UsageError || isParseArgsError(error)) {
      io.note(`${error.message}\n\n${command.usage}`);
      return 2;
    }
    throw error;
  }
};

/** util.parseArgs throws TypeErrors with a code of this family for unknown options and missing values. */
const isParseArgsError = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS_');
