import { Socket } from 'node:net';
import { unknownTypes } from '@grantlog/domain';
import { type FeedMessage, type FeedPage, type FoundPlace, findFeedPlace, type Pool, readFeed } from '@grantlog/postgres';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Deps } from '../deps.ts';
import { UnknownPlatformRequested } from '../http/not-found.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import { exactly, platformParams } from '../json-api/schemas.ts';
import { invalidContents } from '../json-api/validate.ts';
import { problem } from '../management/openapi/problem.ts';
import { eventTypesPath } from '../webhooks/event-types.ts';
import { admitReader, type Reader } from './admit-reader.ts';
import { type StreamTimes, streamEvents } from './event-stream.ts';
import { cursorOf, readCursor } from './read-cursor.ts';
import { cursorGone } from './refusals.ts';

const query = exactly({
  after: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'Where to go on: the id of the last event that you have (the webhook-id), a position, or the next of the page before; latest gives nothing but the cursor of now. Without it, from the oldest event that is kept',
    }),
  ),
  types: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4_000,
      description: 'Event types, parted by commas; grant.* is all that begin so. All by default',
    }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'Most events of one page; 100 by default' })),
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 30, description: 'Seconds to wait where there is nothing; none by default' })),
});

const event = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The same as webhook-id: handle an id once' }),
  type: Type.String(),
  timestamp: Type.String({ format: 'date-time' }),
  data: Type.Object({}, { description: 'As in the webhook, but for what an endpoint gave to be repeated, such as deliveryContext' }),
});

const page = Type.Object(
  {
    events: Type.Array(event, { description: 'In the order in which they happened' }),
    next: Type.String({ description: 'The after of the next request, also where there is no event' }),
    more: Type.Boolean({ description: 'Whether there may be more already: ask again at once. A page may be empty and have more' }),
  },
  { description: 'Events, or none within the time to wait' },
);

const described = {
  200: {
    description: 'Events. With Accept: text/event-stream a stream that goes on, whose id, event and data are the id, the type and the body',
    content: {
      'application/json': { schema: page },
      'text/event-stream': { schema: Type.String({ description: 'Server-sent events; the last is called end and says why' }) },
    },
  },
  410: {
    ...problem,
    description: 'cursor_gone: not everything after the cursor is kept. oldest is the first position that is, after how to go on',
  },
  429: { ...problem, description: 'Too many of your requests are waiting; Retry-After says when to ask again' },
  503: { ...problem, description: 'Too many are waiting here, or nothing can be read; Retry-After says when to ask again' },
};

/** @throws ProblemError 400 that names the types that there are not */
const readTypes = (platform: string, text: string | undefined): readonly string[] | null => {
  if (text === undefined) return null;
  const types = [...new Set(text.split(',').map((type) => type.trim()))];
  const unknown = unknownTypes(types);
  if (unknown.length === 0) return types;
  throw invalidContents(
    'query',
    unknown.map((type) => ({
      path: 'types',
      problem: `names no event type: ${type}`,
      fix: `Name types that GET ${eventTypesPath(platform)} lists, or all of a kind, such as grant.*.`,
    })),
  );
};

// The body as its webhook has it, byte for byte.
const memberOf = ({ id, body }: FeedMessage): string => `{"id":"${id}",${body.slice(1)}`;

const sendPage = (reply: FastifyReply, { messages, next, more }: FeedPage, lineage: string): FastifyReply =>
  reply
    .type('application/json; charset=utf-8')
    .send(`{"events":[${messages.map(memberOf).join(',')}],"next":${JSON.stringify(cursorOf(next, lineage))},"more":${more}}`);

const wantsStream = ({ headers: { accept = '' } }: FastifyRequest): boolean =>
  accept.split(',').some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream');

/** Lets a connection on which nothing is sent stay open so many milliseconds, 0 for as long as the answer takes. */
const bearIdle = ({ raw: { socket } }: FastifyRequest, ms: number): void => {
  // An injected request has no real one.
  if (socket instanceof Socket) socket.setTimeout(ms);
};

/** What a caller asked for, understood. */
type Asked = {
  readonly reader: Reader;
  readonly found: Extract<FoundPlace, { kind: 'found' }>;
  readonly types: readonly string[] | null;
};

/**
 * `GET /{platform}/events`: what webhooks tell, for whoever comes and asks. The same ids and bodies, of what the caller may see;
 * as pages, also long awaited ones, and as a stream.
 */
export const eventEndpoint =
  (deps: Deps & { readonly pool: Pool; readonly streamTimes: StreamTimes }) =>
  async (app: FastifyInstance): Promise<void> => {
    const { pool, waitingRoom } = deps;
    const readers = new WeakMap<FastifyRequest, Reader>();
    // Before connections are closed: who waits is answered, and who listens is told.
    app.addHook('preClose', async () => waitingRoom.close());

    const understand = async (request: FastifyRequest, asked: Static<typeof query>, lastId: string | undefined): Promise<Asked> => {
      const reader = readers.get(request);
      if (reader === undefined) throw new Error('the route of events does not ask for its reader');
      const { names, audience } = reader;
      const given =
        lastId === undefined
          ? asked.after === undefined
            ? null
            : ({ where: 'after', text: asked.after } as const)
          : ({ where: 'Last-Event-ID', text: lastId } as const);
      const cursor = readCursor(given);
      const types = readTypes(names.platform, asked.types);
      const found = await findFeedPlace(pool, { platform: names.platform, audience }, cursor);
      if (found === null) throw new UnknownPlatformRequested(names.platform);
      if (found.kind === 'gone') throw cursorGone(found.oldest);
      return { reader, found, types };
    };

    const answerPage = async (request: FastifyRequest, reply: FastifyReply, asked: Static<typeof query>): Promise<FastifyReply> => {
      const { reader, found, types } = await understand(request, asked, undefined);
      const { lineage, place } = found;
      if (asked.after === 'latest') return sendPage(reply, { messages: [], next: place, more: false }, lineage);
      const feed = { platform: reader.names.platform, audience: reader.audience };
      const read = (after: typeof place) => readFeed(pool, { ...feed, after, types, limit: asked.limit ?? 100 });
      const wait = asked.wait ?? 0;
      let answer = await read(place);
      const isWanted = ({ messages, more }: FeedPage): boolean => messages.length > 0 || more;
      if (isWanted(answer) || wait === 0) return sendPage(reply, answer, lineage);

      const until = performance.now() + wait * 1_000;
      const left = new AbortController();
      reply.raw.once('close', () => left.abort());
      // Nothing is sent for longer than an idle connection is borne.
      bearIdle(request, (wait + 15) * 1_000);
      const seat = waitingRoom.enter(reader.caller);
      try {
        while (!isWanted(answer)) {
          const ms = until - performance.now();
          if (ms <= 0 || (await seat.wait({ ...feed, after: answer.next }, { ms, signal: left.signal })) !== 'news') break;
          answer = await read(answer.next);
        }
      } finally {
        seat.leave();
      }
      // The token was judged when the wait began.
      const refused = answer.messages.length === 0 ? null : await reader.judgeAgain();
      if (refused !== null) throw refused;
      return sendPage(reply, answer, lineage);
    };

    const answerStream = async (request: FastifyRequest, reply: FastifyReply, asked: Static<typeof query>): Promise<FastifyReply> => {
      const header = request.headers['last-event-id'];
      // Sent by who reconnects to the URL of before, so it is the later word.
      const lastId = typeof header === 'string' && header !== '' ? header : undefined;
      const { reader, found, types } = await understand(request, asked, lastId);
      const seat = waitingRoom.enter(reader.caller);
      reply.hijack();
      const { raw } = reply;
      bearIdle(request, 0);
      raw.writeHead(200, { ...reply.getHeaders(), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } as Readonly<
        Record<string, string>
      >);
      void streamEvents({
        pool,
        room: waitingRoom,
        seat,
        reader,
        after: found.place,
        lineage: found.lineage,
        types,
        response: raw,
        times: deps.streamTimes,
        onError: (error) => request.log.warn({ err: error }, 'a stream of events broke off'),
      }).finally(seat.leave);
      return reply;
    };

    await registerJsonApi(app, (api) => {
      api.get(
        '/:platform/events',
        {
          config: { authentication: 'reader', errors: 'problem', openToBrowsers: true },
          exposeHeadRoute: false,
          // For a request that waits; a stream keeps its own time.
          handlerTimeout: 60_000,
          onRequest: async (request) => void readers.set(request, await admitReader(deps, request)),
          schema: {
            tags: ['Events'],
            summary: 'What webhooks tell, for whoever asks: what concerns the bearer of the token, or all of a platform for its operators',
            params: platformParams,
            querystring: query,
            response: described,
          },
        },
        async (request, reply) => {
          reply.header('vary', 'accept');
          return wantsStream(request) ? answerStream(request, reply, request.query) : answerPage(request, reply, request.query);
        },
      );
    });
  };
