import type { CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { listDeliveriesOf, type Pool } from '@grantlog/postgres';
import { recordAuditRead } from '@grantlog/provisioning';
import { type AuditEvent, listCausedEvents, readAuditEvents, streamAuditEvents } from '@grantlog/read-models';
import { parseTraceparent } from '@grantlog/runtime';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { deliveryView, viewOfDelivery } from '../webhooks/delivery-view.ts';
import type { AuditDeps } from './audit-deps.ts';
import { actorView, eventView, eventViewOf } from './event-view.ts';
import { auditWords } from './words.ts';

/** Events and deliveries that an answer shows. */
const mostEvents = 500;
const mostDeliveries = 500;
/** Events of a trace that are looked through for those of one request: whoever chooses a trace may have it name many. */
const mostLookedAt = 5_000;
/** How far events are followed that came of events that came of it. */
const mostSteps = 20;

/** What was found, by position; and whether that is all. */
type Found = {
  readonly events: ReadonlyMap<number, AuditEvent>;
  readonly accounts: ReadonlySet<StreamId>;
  readonly isWhole: boolean;
};

/** The events of one request, or of a trace: what was recorded under its correlation. */
const eventsOf = async (
  pool: Pool,
  { platform, correlation }: { readonly platform: PlatformId; readonly correlation: string },
): Promise<Found> => {
  const context = parseTraceparent(correlation);
  const events = new Map<number, AuditEvent>();
  const accounts = new Set<StreamId>();
  let looked = 0;
  const filter = { trace: context?.traceId ?? correlation };
  for await (const { entries } of streamAuditEvents(pool, { platform, filter, order: 'oldest', limit: mostEvents })) {
    const concerned = new Map(entries.map(({ position, account }) => [position, account]));
    for (const event of await readAuditEvents(pool, { platform, entries })) {
      if (context !== null && event.correlationId !== correlation) continue;
      if (events.size >= mostEvents) return { events, accounts, isWhole: false };
      events.set(event.position, event);
      const account = concerned.get(event.position);
      if (account != null) accounts.add(account);
    }
    looked += entries.length;
    if (looked >= mostLookedAt) return { events, accounts, isWhole: false };
  }
  return { events, accounts, isWhole: true };
};

/** Those, and what came of them, and what came of that. */
const withEffects = async (pool: Pool, platform: PlatformId, began: Found): Promise<Found & { readonly through: number }> => {
  const events = new Map(began.events);
  const accounts = new Set(began.accounts);
  let { isWhole } = began;
  let through = 0;
  let fresh: readonly AuditEvent[] = [...events.values()];
  const followed = new Set<CommitId>();
  for (let step = 0; fresh.length > 0; step += 1) {
    const causes = [...new Set(fresh.map(({ commitId }) => commitId))].filter((commit) => !followed.has(commit));
    for (const commit of causes) followed.add(commit);
    const caused = await listCausedEvents(pool, { platform, causes, most: mostEvents });
    through = Math.max(through, caused.through);
    const unknown = caused.events.filter(({ position }) => !events.has(position)).sort((one, next) => one.position - next.position);
    const entries = step < mostSteps ? unknown.slice(0, mostEvents - events.size) : [];
    if (entries.length < unknown.length) isWhole = false;
    for (const { account } of entries) if (account !== null) accounts.add(account);
    fresh = await readAuditEvents(pool, { platform, entries });
    for (const event of fresh) events.set(event.position, event);
  }
  return { events, accounts, isWhole, through };
};

/** Everything that one request led to. */
export const requestLineageRoute =
  (deps: AuditDeps) =>
  (app: JsonApi): void => {
    const { gate, pool } = deps;
    app.get(
      '/:platform/audit/requests/:correlation/lineage',
      {
        ...gate.ofPlatform,
        schema: {
          tags: ['Audit'],
          summary: 'Everything that one request led to: its events, what came of them, whenever that was, and who was told',
          params: Type.Object({
            platform: Type.String(),
            correlation: Type.String({
              minLength: 1,
              maxLength: 60,
              description: 'The correlationId of an event, which is one request; or a trace id, which is of every request of that trace',
            }),
          }),
          response: {
            200: Type.Object({
              correlation: Type.String(),
              askedBy: Type.Array(actorView, { description: 'Who made the commits that came of no other' }),
              isWhole: Type.Boolean({
                description: `False where there are more than ${mostEvents} events or ${mostDeliveries} deliveries, or where the trace is of more than ${mostLookedAt} events`,
              }),
              through: Type.Integer({ description: 'The position that the index has come to: what stands behind it is not in here yet' }),
              events: Type.Array(eventView, { description: 'In the order of the log; causationId says what each came of' }),
              deliveries: Type.Array(deliveryView, { description: 'Webhooks that told of them, kept for 30 days' }),
            }),
          },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { correlation } = request.params;
        const found = await withEffects(pool, platform, await eventsOf(pool, { platform, correlation }));
        const [account = null, ...others] = found.accounts;
        await recordAuditRead(deps.provisioning, by, {
          platform,
          question: 'lineage',
          about: { correlation, ...(account === null || others.length > 0 ? {} : { account }) },
        });
        if (found.events.size === 0) throw refusalProblem(auditWords, 'unknown_request');
        const events = [...found.events.values()].sort((one, next) => one.position - next.position);
        const told = await listDeliveriesOf(pool, {
          platform,
          positions: events.map(({ position }) => position),
          limit: mostDeliveries + 1,
        });
        const actors = events.flatMap(({ actor, causationId }) => (causationId === null ? [actor] : []));
        return {
          correlation,
          askedBy: [...new Map(actors.map((actor) => [`${actor.kind} ${actor.id}`, actor])).values()],
          isWhole: found.isWhole && told.length <= mostDeliveries,
          through: found.through,
          events: events.map(eventViewOf),
          deliveries: told.slice(0, mostDeliveries).map(viewOfDelivery),
        };
      },
    );
  };
