import { type AccountId, type GrantId, parseStreamId, standingKinds } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { logAsOf, type Moment, readStream } from '@grantlog/postgres';
import { longestClientId } from '@grantlog/protocol';
import { recordAuditRead } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import { loadWithSources } from '../delegation/load-with-sources.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { exactly, nullable } from '../json-api/schemas.ts';
import { accountView, accountViewOf } from '../management/account-view.ts';
import { clientView, clientViewOf } from '../management/client-view.ts';
import { grantView, grantViewOf } from '../management/grant-view.ts';
import { standingIdOf } from '../management/standing-id.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { foldAccount, foldClient, foldGrant, platformStreams } from '../platforms/load-parties.ts';
import { refuseArchivedStream } from './archives.ts';
import type { AuditDeps } from './audit-deps.ts';
import { eventView, eventViewOf } from './event-view.ts';
import { atParameter, momentView, momentViewOf, resolveMoment } from './moment.ts';
import { auditWords } from './words.ts';

/** Events of its own that an answer shows; the rest is for the list of events. */
const mostEvents = 200;

const tags = ['Audit'];
const made = {
  at: momentView,
  events: Type.Array(eventView, { description: `What made it so, its own events up to that moment; the last ${mostEvents}` }),
};

/** A grant, a client, an account as it was. */
export const objectsAsOfRoutes =
  (deps: AuditDeps) =>
  (app: JsonApi): void => {
    const { gate, pool } = deps;
    const madeBy = async (moment: Moment, streamId: StreamId): Promise<Pick<Static<typeof grantAsOf>, 'at' | 'events'>> => {
      const events = await readStream(pool, { platform: moment.platform, streamId });
      return {
        at: momentViewOf(moment),
        events: events
          .filter(({ position }) => position <= moment.position)
          .slice(-mostEvents)
          .map(eventViewOf),
      };
    };
    const querystring = exactly({ at: atParameter });
    const about = (at: string | undefined) => (at === undefined ? {} : { at });

    const grantAsOf = Type.Object({ ...made, grant: grantView });
    app.get(
      '/:platform/audit/grants/:grantId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'A grant as it was: what it allowed, to whom, whether it could act, and the events that made it so',
          params: Type.Object({ platform: Type.String(), grantId: Type.String() }),
          querystring,
          response: { 200: grantAsOf },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { at } = request.query;
        const moment = await resolveMoment(pool, platform, at);
        const grantId = parseStreamId(request.params.grantId) as GrantId | null;
        if (grantId === null) throw refusalProblem(auditWords, 'unknown_grant');
        const loaded = await loadWithSources(logAsOf(pool, moment), platform, {
          requests: [...platformStreams, { streamId: grantId, follow: true }],
          grants: [grantId],
        });
        const state = foldGrant(loaded, grantId);
        if (state.status === 'none') {
          await refuseArchivedStream(pool, { platform, streamId: grantId });
          throw refusalProblem(auditWords, 'unknown_grant');
        }
        const { client = null, account = null } = state.status === 'denied' ? {} : state.terms;
        await recordAuditRead(deps.provisioning, by, {
          platform,
          question: 'grant',
          about: { grant: grantId, client, account, ...about(at) },
        });
        const grant = grantViewOf(grantId, state, state.status === 'denied' ? 'good' : grantStanding(loaded, state));
        return { grant, ...(await madeBy(moment, grantId)) };
      },
    );

    app.get(
      '/:platform/audit/clients/:clientId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'A client as it was, and the events that made it so',
          params: Type.Object({ platform: Type.String(), clientId: Type.String({ maxLength: longestClientId }) }),
          querystring,
          response: {
            200: Type.Object({
              ...made,
              client: Type.Union([clientView, Type.Object({ clientId: Type.String(), status: Type.Enum(['deleted']) })]),
            }),
          },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { at } = request.query;
        const { clientId } = request.params;
        const moment = await resolveMoment(pool, platform, at);
        const stream = names.client(clientId);
        await recordAuditRead(deps.provisioning, by, { platform, question: 'client', about: { client: stream, ...about(at) } });
        const loaded = await logAsOf(pool, moment).load(platform, [{ streamId: stream }]);
        const state = foldClient(loaded, stream);
        if (state.status === 'none') throw refusalProblem(auditWords, 'unknown_client');
        const client = state.status === 'deleted' ? { clientId, status: 'deleted' as const } : clientViewOf(stream, moment.now, state);
        return { client, ...(await madeBy(moment, stream)) };
      },
    );

    app.get(
      '/:platform/audit/accounts/:accountId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'An account as it was, and the events that made it so. What was erased since is not told again',
          params: Type.Object({ platform: Type.String(), accountId: Type.String() }),
          querystring,
          response: { 200: Type.Object({ ...made, account: accountView, isErasedSince: nullable(Type.Boolean()) }) },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { at } = request.query;
        const moment = await resolveMoment(pool, platform, at);
        const accountId = standingIdOf<AccountId>(standingKinds.account, request.params.accountId);
        if (accountId === null) throw refusalProblem(auditWords, 'unknown_account');
        await recordAuditRead(deps.provisioning, by, { platform, question: 'account', about: { account: accountId, ...about(at) } });
        const loaded = await logAsOf(pool, moment).load(platform, [{ streamId: accountId, withSecrets: true }]);
        const state = foldAccount(loaded, accountId);
        if (state === null || state.status === 'none') throw refusalProblem(auditWords, 'unknown_account');
        const wrappedKey = loaded.stream(accountId).dataKey;
        const account = accountViewOf(deps.sealer, { platform, accountId, state, wrappedKey });
        const isErasedSince = state.status === 'erased' ? null : account.personal === 'erased';
        return { account, isErasedSince, ...(await madeBy(moment, accountId)) };
      },
    );
  };
