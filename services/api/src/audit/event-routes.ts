import { Readable } from 'node:stream';
import type { AuditQuestion } from '@grantlog/domain';
import type { JsonObject } from '@grantlog/eventsourcing';
import { type By, type PlatformNames, recordAuditRead } from '@grantlog/provisioning';
import { type AuditFilter, countAuditEventsByType, listAuditEvents, readAuditEvents, streamAuditEvents } from '@grantlog/read-models';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static, type TObject } from 'typebox';
import type { Deps } from '../deps.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { exactly, nullable, position } from '../json-api/schemas.ts';
import type { AuditDeps } from './audit-deps.ts';
import { csvOf } from './csv.ts';
import { type AskedEvents, eventFilter, readFilter } from './event-query.ts';
import { type EventView, eventView, eventViewOf } from './event-view.ts';
import { excerptOf } from './excerpt-export.ts';
import { auditWords } from './words.ts';

/** Who came in to ask, and what of the log is theirs to see. */
type Asker = {
  readonly names: PlatformNames;
  readonly by: By;
  /** Whatever is asked for, only this of it. */
  readonly own: Pick<AuditFilter, 'account' | 'client'>;
  /** Whether it may be other people's, so that the reading goes on record. */
  readonly isOfOthers: boolean;
};

/** A way in to the events of the log: the routes below `prefix`, and who they let in. */
export type EventDoor = {
  readonly prefix: string;
  readonly params: TObject;
  readonly route: object;
  readonly ask: (request: FastifyRequest) => Promise<Asker>;
  /** Whether events may be shown as their leaves have them, so that exports can prove themselves. */
  readonly showsLeaves: boolean;
};

const tags = ['Audit'];
const page = {
  order: Type.Optional(Type.Enum(['newest', 'oldest'], { description: 'newest by itself' })),
  cursor: Type.Optional(Type.Integer({ minimum: 0, description: 'next of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  minPosition: Type.Optional(position),
};
const listing = exactly({ ...eventFilter, ...page });
const counting = exactly(eventFilter);
const exporting = exactly({
  ...eventFilter,
  format: Type.Optional(Type.Enum(['ndjson', 'csv'], { description: 'ndjson by itself' })),
});
const provable = exactly({
  ...eventFilter,
  format: Type.Optional(
    Type.Enum(['ndjson', 'csv', 'excerpt'], {
      description: 'ndjson by itself. An excerpt proves by itself that its events are those that were logged: grantlog audit verify',
    }),
  ),
  checkpoint: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0 }), {
      maxItems: 100,
      description: 'Of an excerpt: sizes of checkpoints that you have kept, so that it can be compared with them as well',
    }),
  ),
});
type AskedExport = Static<typeof provable>;
const through = Type.Integer({ description: 'The position that the index has come to: what stands behind it is not in here yet' });
const formats = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

/** Whether what is asked for can be among what is theirs. */
const isWithin = (own: Asker['own'], { account, client }: AuditFilter): boolean =>
  (own.account === undefined || account === undefined || own.account === account) &&
  (own.client === undefined || client === undefined || own.client === client);

/**
 * Lists, counts and exports of events, for who comes through a door: by GET, and by POST with the same members in a body.
 * An email or an address in a URL would stand in the access log of every proxy on its way.
 */
export const eventRoutes =
  (deps: Deps & Pick<AuditDeps, 'pool'>, door: EventDoor) =>
  (app: JsonApi): void => {
    const { pool } = deps;
    const { prefix, params, route, showsLeaves } = door;

    /** What is asked for, on record; its filter is null where nothing of it can be theirs. */
    const begin = async (
      request: FastifyRequest,
      question: AuditQuestion,
      query: AskedEvents,
    ): Promise<{ readonly names: PlatformNames; readonly filter: AuditFilter | null; readonly about: JsonObject }> => {
      const { names, by, own, isOfOthers } = await door.ask(request);
      const read = await readFilter(deps, names, query);
      const about: JsonObject = { ...read?.about, ...own };
      if (isOfOthers) await recordAuditRead(deps.provisioning, by, { platform: names.platform, question, about });
      const filter = read === null || !isWithin(own, read.filter) ? null : { ...read.filter, ...own };
      return { names, filter, about };
    };
    const viewsOf = async (platform: PlatformNames['platform'], entries: Parameters<typeof readAuditEvents>[1]['entries']) =>
      (await readAuditEvents(pool, { platform, entries })).map(eventViewOf);

    const listed = {
      tags,
      summary: 'Events of the log by whom they concern, who caused them, from where and when. A page may be short and not the last',
      params,
      response: {
        200: Type.Object({
          events: Type.Array(eventView),
          next: nullable(Type.Integer({ description: 'Give it as cursor for the next page; null on the last' })),
          through,
          current: Type.Boolean({ description: 'False where the index had not reached minPosition within half a second' }),
        }),
      },
    };
    const list = async (request: FastifyRequest, asked: Static<typeof listing>) => {
      const { order = 'newest', cursor, limit, minPosition, ...query } = asked;
      const { names, filter } = await begin(request, 'events', query);
      if (filter === null) return { events: [], next: null, through: 0, current: true };
      const { platform } = names;
      const found = await listAuditEvents(pool, {
        platform,
        filter,
        order,
        ...(cursor === undefined ? {} : { cursor }),
        ...(limit === undefined ? {} : { limit }),
        ...(minPosition === undefined ? {} : { minPosition }),
      });
      const { next, through: reached, current } = found;
      return { events: await viewsOf(platform, found.entries), next, through: reached, current };
    };
    app.get(`${prefix}/events`, { ...route, schema: { ...listed, querystring: listing } }, (request) => list(request, request.query));
    app.post(`${prefix}/events`, { ...route, schema: { ...listed, body: listing } }, (request) => list(request, request.body));

    const counted = {
      tags,
      summary: 'How many events there are of each type',
      params,
      response: {
        200: Type.Object({
          count: Type.Integer(),
          isExact: Type.Boolean({ description: 'False where there are more than a count looks at: then there are at least so many' }),
          types: Type.Array(Type.Object({ type: Type.String(), count: Type.Integer() })),
          through,
        }),
      },
    };
    const count = async (request: FastifyRequest, asked: Static<typeof counting>) => {
      const { names, filter } = await begin(request, 'count', asked);
      if (filter === null) return { count: 0, isExact: true, types: [], through: 0 };
      const { types, isExact, through: reached } = await countAuditEventsByType(pool, { platform: names.platform, filter });
      return { count: types.reduce((sum, each) => sum + each.count, 0), isExact, types: [...types], through: reached };
    };
    app.get(`${prefix}/events/count`, { ...route, schema: { ...counted, querystring: counting } }, (request) =>
      count(request, request.query),
    );
    app.post(`${prefix}/events/count`, { ...route, schema: { ...counted, body: counting } }, (request) => count(request, request.body));

    const exported = {
      tags,
      summary: 'All events that fit, in order, as a stream of lines that takes no memory for its length',
      params,
      response: {
        200: {
          description:
            'An event a line; with csv the first line names the columns. An excerpt is grantlog/v1: a head, events and hashes of what is between',
          content: { 'application/x-ndjson': { schema: eventView }, 'text/csv': { schema: Type.String() } },
        },
      },
    };
    // As long as it takes to send what there is.
    const patiently = { ...route, handlerTimeout: 3_600_000 };
    const send = async (request: FastifyRequest, reply: FastifyReply, asked: AskedExport) => {
      const { format = 'ndjson', checkpoint, ...query } = asked;
      const { names, filter, about } = await begin(request, 'export', query);
      const { platform } = names;
      if (format === 'excerpt') {
        const excerpt = await excerptOf(pool, { platform, filter, about, boundaries: checkpoint ?? [] });
        return reply
          .type(formats.ndjson)
          .header('content-disposition', 'attachment; filename="excerpt.ndjson"')
          .send(Readable.from(excerpt) as never);
      }
      if (checkpoint !== undefined) throw refusalProblem(auditWords, 'checkpoint_without_proof');
      const write = format === 'csv' ? csvOf : (event: EventView): string => `${JSON.stringify(event)}\n`;
      const lines = async function* (): AsyncGenerator<string> {
        if (format === 'csv') yield csvOf.header;
        if (filter === null) return;
        for await (const { entries } of streamAuditEvents(pool, { platform, filter, order: 'oldest' }))
          yield (await viewsOf(platform, entries)).map(write).join('');
      };
      return reply
        .type(formats[format])
        .header('content-disposition', `attachment; filename="events.${format}"`)
        .send(Readable.from(lines()) as never);
    };
    const asked = showsLeaves ? provable : exporting;
    app.get(`${prefix}/events/export`, { ...patiently, schema: { ...exported, querystring: asked } }, (request, reply) =>
      send(request, reply, request.query),
    );
    app.post(`${prefix}/events/export`, { ...patiently, schema: { ...exported, body: asked } }, (request, reply) =>
      send(request, reply, request.body),
    );
  };
