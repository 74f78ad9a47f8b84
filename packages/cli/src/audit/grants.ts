import { parseArgs } from 'node:util';
import type { Command } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { findAccount } from './find-account.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { readAt } from './moment.ts';
import { followPages, readLimit } from './pages.ts';
import { plainText } from './plain-text.ts';
import { readAccount } from './read-id.ts';
import { type ToldMoment, tellMoment } from './tell-object.ts';

type LiveGrant = {
  readonly grantId: string;
  readonly clientId: string;
  readonly account: string | null;
  readonly scopes: readonly string[];
  readonly authorizedAt: string;
};
type Page = { readonly at: ToldMoment; readonly grants: readonly LiveGrant[]; readonly next: number | null };

/** Grants that one question brings. */
const pageSize = 100;

const line = ({ grantId, clientId, account, scopes, authorizedAt }: LiveGrant): string =>
  `${grantId}  ${authorizedAt}  ${plainText(clientId)}  ${account ?? 'no account'}  ${plainText(scopes.join(' '))}`;

/** `grantlog audit grants`. */
export const grantsCommand: Command = {
  name: 'grants',
  summary: 'list the grants that could act at a moment',
  usage: `grantlog audit grants (--platform <name> | --url <issuer>) [--at <position|time>] [--client <client id>] [--account <id|email>]
                      [--limit <n>] [--json]

The grants that could act at a position or a time of the log, or can now, the latest first: id, when it was allowed, client, account
and scopes. 50 of them unless --limit says otherwise. --json prints each as a line of JSON. --at also takes how long ago: 90m, 24h, 7d.

${serverUsage}

  grantlog audit grants --platform along
  grantlog audit grants --platform along --at 2026-11-07T14:03:00Z --account demo@along.example`,
  run: async (argv, io) => {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...serverOptions,
        at: { type: 'string' },
        client: { type: 'string' },
        account: { type: 'string' },
        limit: { type: 'string', default: '50' },
        json: { type: 'boolean', default: false },
      },
    });
    const limit = readLimit(values.limit);
    const at = readAt(values.at);
    if (values.account !== undefined) readAccount(values.account);
    const server = await findServer(values, io);
    const account = values.account === undefined ? undefined : await findAccount(server, values.account);
    const query = { clientId: values.client, account };
    let moment: ToldMoment | null = null;
    const { shown, hasMore } = await followPages<LiveGrant>({
      limit,
      pageSize,
      ask: async (page) => {
        // All pages are of one moment, also where none was given.
        const when = values.at === undefined && moment !== null ? { at: moment.time } : at;
        const answer = await answerOf<Page>(server, server.get('grants', { ...query, ...when, ...page }), 'grants');
        moment ??= answer.at;
        return { items: answer.grants, next: answer.next };
      },
      show: (grants) => {
        for (const grant of grants) io.out(values.json ? JSON.stringify(grant) : line(grant));
      },
    });
    const then = moment === null ? '' : ` ${tellMoment(moment)}`;
    io.note(shown === 0 ? `No grant could act${then}.` : `${shown} grants could act${then}.`);
    if (hasMore) io.note(`There may be more: --limit ${limit * 10} shows more.`);
    return 0;
  },
};
