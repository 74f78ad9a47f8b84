import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readAt } from './moment.ts';
import { readGiven } from './read-given.ts';
import { type ToldMoment, tellMoment, tellObject } from './tell-object.ts';

type TokenAsOf = { readonly at: ToldMoment; readonly isGood: boolean; readonly reason: string | null; readonly grant: object | null };

/** What a token was, in lines: the verdict, what it opened, and the grant behind it. */
const tellToken = ({ at, isGood, reason, grant, ...token }: TokenAsOf): readonly string[] => [
  isGood ? `The token was good ${tellMoment(at)}` : `The token was not good ${tellMoment(at)}: ${reason ?? 'no reason was given'}`,
  ...tellObject(token),
  ...(grant === null ? [] : ['Its grant', ...tellObject(grant)]),
];

/** `grantlog audit token`. */
export const tokenCommand: Command = {
  name: 'token',
  summary: 'say whether a token was good at a moment, and what it opened',
  usage: `grantlog audit token [<file>] (--platform <name> | --url <issuer>) [--at <position|time>] [--json]

Reads a token from the file, or from standard input, and says whether it was good at a position or a time of the log, or is now.
It is sent in a body, judged as introspection judges it, and kept nowhere. Never as an argument: there it would stay in the shell's
history. The exit code is 3 where it was not good. --at also takes how long ago: 90m, 24h, 7d.

${serverUsage}

  grantlog audit token leaked-token --platform along --at 24h
  pass show leaked-token | grantlog audit token --platform along --at 1042`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, at: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const [path = '-', ...rest] = positionals;
    if (rest.length > 0) throw new UsageError('Say at most one file: grantlog audit token [<file>]');
    if (path === '-' && values['token-file'] === '-')
      throw new UsageError('Standard input can be one token, not both: give the file of one of them');
    const at = readAt(values.at);
    const token = await readGiven(path);
    const server = await findServer(values, io);
    const found = await answerOf<TokenAsOf>(server, server.post('token', { token, ...at }), 'isGood');
    for (const line of values.json ? [JSON.stringify(found, null, 2)] : tellToken(found)) io.out(line);
    return found.isGood ? 0 : 3;
  },
};
