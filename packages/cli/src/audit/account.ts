import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { findAccount } from './find-account.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readAt } from './moment.ts';
import { readAccount } from './read-id.ts';
import { type ToldMoment, tellAsOf } from './tell-object.ts';
import type { ToldEvent } from './timeline.ts';

type AccountAsOf = {
  readonly account: object;
  readonly isErasedSince: boolean | null;
  readonly at: ToldMoment;
  readonly events: readonly ToldEvent[];
};

/** `grantlog audit account`. */
export const accountCommand: Command = {
  name: 'account',
  summary: 'show an account as it was, and what made it so',
  usage: `grantlog audit account <id|email> (--platform <name> | --url <issuer>) [--at <position|time>] [--json]

An account as it stood at a position or a time of the log, or stands now: status, roles, factors, and the events that made it so.
What was erased since is not told again. --at also takes how long ago: 90m, 24h, 7d.

${serverUsage}

  grantlog audit account demo@along.example --platform along
  grantlog audit account 00000000-0003-8000-8000-000000000001 --platform along --at 2026-11-07T14:03:00Z`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...serverOptions, at: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) throw new UsageError('Say which: grantlog audit account <id|email>');
    const at = readAt(values.at);
    readAccount(name);
    const server = await findServer(values, io);
    const id = await findAccount(server, name);
    const found = await answerOf<AccountAsOf>(server, server.get(`accounts/${id}`, at), 'account');
    const told = [
      ...tellAsOf(`Account ${id}`, found.account, found),
      ...(found.isErasedSince === true ? ['It has been erased since: what was personal is gone'] : []),
    ];
    for (const line of values.json ? [JSON.stringify(found, null, 2)] : told) io.out(line);
    return 0;
  },
};
