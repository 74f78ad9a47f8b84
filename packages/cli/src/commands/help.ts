import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';

/** `grantlog help`: the list of commands, or one command's usage. */
export const helpOn = (commands: readonly Command[]): Command => ({
  name: 'help',
  summary: 'list the commands, or explain one',
  usage: 'grantlog help [<command> [<subcommand>]]',
  run: async (argv, io) => {
    const { positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: {} });
    const [name, within] = positionals;
    if (name === undefined) {
      io.out(overview(commands));
      return 0;
    }
    const command = commands.find((candidate) => candidate.name === name);
    if (command === undefined)
      throw new UsageError(`There is no command "${name}". There are: ${commands.map((known) => known.name).join(', ')}.`);
    io.out((command.subcommands?.find((each) => each.name === within) ?? command).usage);
    return 0;
  },
});

/** A line for each command. */
export const listCommands = (commands: readonly Command[]): readonly string[] => {
  const width = Math.max(...commands.map((command) => command.name.length));
  return commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
};

const overview = (commands: readonly Command[]): string =>
  ['Usage: grantlog <command> [options]', '', ...listCommands(commands), '', 'grantlog help <command> explains one.'].join('\n');
