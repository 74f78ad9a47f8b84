import { Socket } from 'node:net';
import { keyRingDecider, keyRingStream } from '@grantlog/domain';
import { fold, type StreamId } from '@grantlog/eventsourcing';
import { type Feed, findFeedPlace, type Message, type Pool, readHeld, type Settled, settlePolled } from '@grantlog/postgres';
import { signalToken } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Deps } from '../deps.ts';
import { UnknownPlatformRequested } from '../http/not-found.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { receiverRoute } from './receiver-route.ts';
import { loadStream, type OwnStream, type SignalPassage } from './signal-door.ts';
import { signalWords } from './signal-words.ts';

/** SETs of one answer, where the receiver does not say. Each costs a signature. */
const usual = 20;
const most = 100;
/** Seconds for which a receiver waits that did not ask for an answer at once. */
const patience = 25;

const setError = Type.Object({ err: Type.String({ maxLength: 100 }), description: Type.Optional(Type.String({ maxLength: 1_000 })) });

const pollBody = Type.Object({
  maxEvents: Type.Optional(
    Type.Integer({ minimum: 0, description: `Most SETs; ${usual} by default, ${most} at most. 0 only acknowledges` }),
  ),
  returnImmediately: Type.Optional(Type.Boolean({ description: `Whether not to wait; by default for ${patience} seconds` })),
  ack: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1_000, description: 'jti of SETs that have been taken' })),
  setErrs: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), setError, { description: 'What was wrong with others, by jti' })),
});

const pollAnswer = Type.Object({
  sets: Type.Record(Type.String(), Type.String(), { description: 'SETs by jti' }),
  moreAvailable: Type.Boolean(),
});

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** What a receiver says of what it fetched before. A jti that is none of ours is passed over (RFC 8936 §2.2). */
const settledBy = ({ ack = [], setErrs = {} }: Static<typeof pollBody>): readonly Settled[] => {
  const refused = Object.entries(setErrs).map(
    ([id, { err, description }]): Settled => ({
      id,
      problem: `The receiver refused it: ${err}${description === undefined ? '' : `, ${description}`}`.slice(0, 500),
    }),
  );
  const taken = ack.map((id): Settled => ({ id, problem: null }));
  return [...new Map([...taken, ...refused].map((settled) => [settled.id, settled])).values()].filter(({ id }) => uuid.test(id));
};

/** Whether it is told of anything but of itself. */
const isOpen = ({ state }: OwnStream): boolean => state.status === 'active' && state.paused === null;

type Fetched = { readonly sets: Record<string, string>; readonly moreAvailable: boolean };

/** `POST /{platform}/ssf/poll/{stream}`: SETs for who comes and fetches them. @see RFC 8936 */
export const pollRoute =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: JsonApi): void => {
    const { pool, waitingRoom } = deps;
    const { route, passed } = receiverRoute(deps);

    const sign = async ({ names, issuer }: SignalPassage, { id, state }: OwnStream, messages: readonly Message[]) => {
      const ring = fold(keyRingDecider, (await deps.log.load(names.platform, [{ streamId: keyRingStream }])).stream(keyRingStream));
      const key = (await deps.keys.of(names.platform, ring)).signingKey('RS256');
      const { audience, requested } = state.signals;
      const stream = { stream: id, issuer, audience, requested, key };
      return Promise.all(messages.map(async (message) => [message.id, await signalToken(stream, message)] as const));
    };
    /** The next SETs; what the receiver asks for no more is settled on the way. */
    const fetchNext = async (passage: SignalPassage, stream: OwnStream, limit: number): Promise<Fetched> => {
      const of = { platform: passage.names.platform, endpoint: stream.id };
      const held = await readHeld(pool, { ...of, limit: limit + 1, ofItself: !isOpen(stream) });
      const signed = await sign(passage, stream, held.slice(0, limit));
      const unwanted = signed.flatMap(([id, token]) =>
        token === null ? [{ id, problem: 'The receiver has since asked for no such event' }] : [],
      );
      await settlePolled(pool, { ...of, settled: unwanted });
      const sets = Object.fromEntries(signed.flatMap(([id, token]) => (token === null ? [] : [[id, token]])));
      return { sets, moreAvailable: held.length > limit || unwanted.length > 0 };
    };
    const isAny = ({ sets, moreAvailable }: Fetched): boolean => moreAvailable || Object.keys(sets).length > 0;

    const waitFor = async (request: FastifyRequest, passage: SignalPassage, next: () => Promise<Fetched>): Promise<Fetched> => {
      const { platform } = passage.names;
      const audience = passage.isWide ? ({ kind: 'platform' } as const) : ({ kind: 'reader', id: passage.client as StreamId } as const);
      const feed: Feed = { platform, audience };
      const until = performance.now() + patience * 1_000;
      const left = new AbortController();
      request.raw.once('close', () => left.abort());
      // An injected request has no real one.
      if (request.raw.socket instanceof Socket) request.raw.socket.setTimeout((patience + 15) * 1_000);
      const seat = waitingRoom.enter(passage.client);
      try {
        for (;;) {
          // The place first: what comes between the two looks is news.
          const found = await findFeedPlace(pool, feed, { kind: 'latest' });
          if (found?.kind !== 'found') throw new UnknownPlatformRequested(platform);
          const fetched = await next();
          const ms = until - performance.now();
          if (isAny(fetched) || ms <= 0) return fetched;
          if ((await seat.wait({ ...feed, after: found.place }, { ms, signal: left.signal })) !== 'news') return fetched;
        }
      } finally {
        seat.leave();
      }
    };

    app.post(
      '/:platform/ssf/poll/:streamId',
      {
        ...route('manage'),
        handlerTimeout: 60_000,
        schema: {
          tags: ['Security events'],
          summary: 'Fetch security events and acknowledge those of before (RFC 8936). They are kept for seven days',
          params: Type.Object({ platform: Type.String(), streamId: Type.String() }),
          body: pollBody,
          response: { 200: pollAnswer },
        },
      },
      async (request) => {
        const passage = passed(request);
        const stream = await loadStream(deps, passage, request.params.streamId);
        if (stream.state.signals.method !== 'poll') throw refusalProblem(signalWords, 'not_polled');
        await settlePolled(pool, { platform: passage.names.platform, endpoint: stream.id, settled: settledBy(request.body) });
        const { maxEvents = usual, returnImmediately = false } = request.body;
        if (maxEvents === 0) return { sets: {}, moreAvailable: false };
        const next = () => fetchNext(passage, stream, Math.min(maxEvents, most));
        return returnImmediately || !isOpen(stream) ? next() : waitFor(request, passage, next);
      },
    );
  };
