import { type EventType, eventTypes } from '@grantlog/domain';
import { ProblemError, problem } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { sendCacheable } from '../http/cacheable.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

const config = { authentication: 'none', errors: 'problem', openToBrowsers: true } as const;

/** Where the event types of a platform are listed; a path, for the platform's host may be its own. */
export const eventTypesPath = (platform: string): string => `/${platform}/webhooks/event-types`;

const answerOf = (what: EventType | { readonly eventTypes: readonly EventType[] }) => ({
  mediaType: 'application/json; charset=utf-8',
  seconds: 300,
  body: JSON.stringify(what),
});

const unknownEventType = (): ProblemError =>
  new ProblemError(
    problem({
      status: 404,
      type: 'urn:grantlog:problem:unknown_event_type',
      title: 'Not found',
      detail: 'No such event type; eventTypes names those that there are',
      members: { code: 'unknown_event_type', eventTypes: eventTypes.map(({ type }) => type) },
    }),
    { headers: { 'cache-control': 'no-store' } },
  );

/** What webhook endpoints are sent, for whoever writes their receivers: the same on every platform. */
export const eventTypeEndpoints =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const all = answerOf({ eventTypes });
    const single = new Map(eventTypes.map((described) => [described.type, answerOf(described)]));

    app.get('/:platform/webhooks/event-types', { config }, async (request, reply) => {
      await resolvePlatform(deps, request);
      return sendCacheable(request, reply, all);
    });
    app.get('/:platform/webhooks/event-types/:type', { config }, async (request, reply) => {
      await resolvePlatform(deps, request);
      const { type = '' } = request.params as { readonly type?: string };
      const found = single.get(type);
      if (found === undefined) throw unknownEventType();
      return sendCacheable(request, reply, found);
    });
  };
