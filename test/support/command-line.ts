import { dispatch } from '../../packages/cli/src/command.ts';
import { commands } from '../../packages/cli/src/command-table.ts';

export type Ran = { readonly code: number; readonly out: string; readonly notes: string };

/** Runs a command of `grantlog` within this process: what it does besides reading standard input and ending. */
export const runCommand = async (argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ran> => {
  const said: { readonly out: string[]; readonly notes: string[] } = { out: [], notes: [] };
  const code = await dispatch(commands, argv, {
    environment,
    out: (line) => void said.out.push(`${line}\n`),
    note: (line) => void said.notes.push(`${line}\n`),
  });
  return { code, out: said.out.join(''), notes: said.notes.join('') };
};
