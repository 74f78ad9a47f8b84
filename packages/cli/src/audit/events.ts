import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf } from './audit-server.ts';
import { filterOptions, filterUsage, readFilter } from './event-filter.ts';
import { eventColumns, eventLine } from './event-line.ts';
import { findServer, serverOptions, serverUsage } from './find-server.ts';
import { followPages, readLimit } from './pages.ts';
import { type ToldEvent, timeline } from './timeline.ts';

type Page = { readonly events: readonly ToldEvent[]; readonly next: number | null; readonly through: number };

/** Events that one question brings. */
const pageSize = 500;

/** `grantlog audit events`. */
export const eventsCommand: Command = {
  name: 'events',
  summary: 'list events, by whom they concern, who caused them, from where and when',
  usage: `grantlog audit events (--platform <name> | --url <issuer>) [<filter>...] [--order newest|oldest] [--limit <n>] [--details | --json]

One event a line, the newest first, 50 of them unless --limit says otherwise. --details prints each as a paragraph with what it
holds, --json as a line of JSON for jq. Every page that is fetched is a reading on record, so there is no way to keep watching
here; webhooks and /events tell of what happens.

${filterUsage}

${serverUsage}

  grantlog audit events --platform along --account demo@along.example --from 24h
  grantlog audit events --platform along --type 'grant.*' --type account.erased --limit 1000 --json | jq .data
  grantlog audit events --url https://auth.example.com/along --token-file token --client my-agent --details`,
  run: async (argv, io) => {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...serverOptions,
        ...filterOptions,
        order: { type: 'string', default: 'newest' },
        limit: { type: 'string', default: '50' },
        details: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const { order, details, json } = values;
    if (order !== 'newest' && order !== 'oldest') throw new UsageError('--order is newest or oldest');
    if (details && json) throw new UsageError('--json shows everything already: leave --details out');
    const limit = readLimit(values.limit);
    const filter = readFilter(values);
    const server = await findServer(values, io);
    let through = 0;
    const show = (events: readonly ToldEvent[]): void => {
      if (details) for (const each of timeline(events)) io.out(each);
      else for (const event of events) io.out(json ? JSON.stringify(event) : eventLine(event));
    };
    let isFirst = true;
    const { shown, hasMore } = await followPages<ToldEvent>({
      limit,
      pageSize,
      ask: async (page) => {
        const answer = await answerOf<Page>(server, server.post('events', { ...filter, order, ...page }), 'events');
        ({ through } = answer);
        return { items: answer.events, next: answer.next };
      },
      show: (events) => {
        if (isFirst && events.length > 0 && !details && !json) io.out(eventColumns);
        isFirst &&= events.length === 0;
        show(events);
      },
    });
    if (shown === 0) io.note(through === 0 ? 'No events fit.' : `No events fit, of those up to position ${through}.`);
    else if (hasMore) io.note(`There may be more: --limit ${limit * 10} shows more, grantlog audit export all of them.`);
    return 0;
  },
};
