import { type GrantId, parseStreamId, sourcesOf } from '@grantlog/domain';
import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { listDeliveries, type Pool, readStream } from '@grantlog/postgres';
import { recordAuditRead } from '@grantlog/provisioning';
import { type AuditFilter, readAuditEvents, streamAuditEvents } from '@grantlog/read-models';
import Type from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { foldGrant } from '../platforms/load-parties.ts';
import { deliveryView, viewOfDelivery } from '../webhooks/delivery-view.ts';
import { refuseArchivedStream } from './archives.ts';
import type { AuditDeps } from './audit-deps.ts';
import { eventView, eventViewOf } from './event-view.ts';
import { auditWords } from './words.ts';

/** Events of one stream, and deliveries of one grant, that an answer shows. */
const mostEvents = 500;
const mostDeliveries = 200;
/** Grants of its account that are looked through for those that stand on it. */
const mostLookedAt = 10_000;

/** Grants by token exchange that stand on a grant, however far down the chain: each names all that it stands on. */
const exchangedFrom = async (
  pool: Pool,
  platform: PlatformId,
  of: { readonly grant: GrantId; readonly whose: Pick<AuditFilter, 'account' | 'client'>; readonly from: number },
): Promise<{ readonly grants: readonly StreamId[]; readonly isWhole: boolean }> => {
  const found: StreamId[] = [];
  let looked = 0;
  const filter = { ...of.whose, types: ['grant.authorized'], from: of.from };
  for await (const { entries } of streamAuditEvents(pool, { platform, filter, order: 'oldest' })) {
    for (const { streamId, data } of await readAuditEvents(pool, { platform, entries })) {
      // The first event of a grant by token exchange has what it stands on in its terms.
      if (sourcesOf(data as never).includes(of.grant)) found.push(streamId);
    }
    looked += entries.length;
    if (looked >= mostLookedAt) return { grants: found, isWhole: false };
  }
  return { grants: found, isWhole: true };
};

/** Everything that one authorization led to. */
export const lineageRoute =
  (deps: AuditDeps) =>
  (app: JsonApi): void => {
    const { gate, pool } = deps;
    app.get(
      '/:platform/audit/grants/:grantId/lineage',
      {
        ...gate.ofPlatform,
        schema: {
          tags: ['Audit'],
          summary:
            'Everything that one authorization led to: the sign-in and session before it, its tokens, what was exchanged for them, its end, and who was told',
          params: Type.Object({ platform: Type.String(), grantId: Type.String() }),
          response: {
            200: Type.Object({
              grantId: Type.String(),
              exchanged: Type.Array(Type.String(), { description: 'Grants by token exchange that stand on it' }),
              isWhole: Type.Boolean({
                description: `False where its account has had more than ${mostLookedAt} grants since: exchanged may lack some`,
              }),
              events: Type.Array(eventView, { description: `In the order of the log; the first ${mostEvents} of each stream` }),
              deliveries: Type.Array(deliveryView, {
                description: `Webhooks that told of it, kept for 30 days; the last ${mostDeliveries} of each grant`,
              }),
            }),
          },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const grantId = parseStreamId(request.params.grantId) as GrantId | null;
        if (grantId === null) throw refusalProblem(auditWords, 'unknown_grant');
        const state = foldGrant(await deps.log.load(platform, [{ streamId: grantId }]), grantId);
        if (state.status === 'none') {
          await refuseArchivedStream(pool, { platform, streamId: grantId });
          throw refusalProblem(auditWords, 'unknown_grant');
        }
        const { client = null, account = null, session = null, signIn = null } = state.status === 'denied' ? {} : state.terms;
        await recordAuditRead(deps.provisioning, by, { platform, question: 'lineage', about: { grant: grantId, client, account } });
        const whose = account === null ? (client === null ? null : { client }) : { account };
        const { grants: exchanged, isWhole } =
          whose === null
            ? { grants: [], isWhole: true }
            : await exchangedFrom(pool, platform, { grant: grantId, whose, from: state.firstPosition });
        const streams = [signIn, session, grantId, ...exchanged].filter((id): id is StreamId => id !== null);
        const events = await Promise.all(
          streams.map(async (streamId) => (await readStream(pool, { platform, streamId })).slice(0, mostEvents)),
        );
        const told = await Promise.all(
          [grantId, ...exchanged].map((subject) => listDeliveries(pool, { platform, subject, limit: mostDeliveries })),
        );
        return {
          grantId,
          exchanged: [...exchanged],
          isWhole,
          events: events
            .flat()
            .sort((one, next) => one.position - next.position)
            .map(eventViewOf),
          deliveries: told.flatMap(({ deliveries }) => deliveries.map(viewOfDelivery)),
        };
      },
    );
  };
