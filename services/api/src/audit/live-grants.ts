import { standingKinds } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { listArchives, logAsOf } from '@grantlog/postgres';
import { longestClientId } from '@grantlog/protocol';
import { recordAuditRead } from '@grantlog/provisioning';
import { listGrantsAsOf } from '@grantlog/read-models';
import Type from 'typebox';
import { loadWithSources } from '../delegation/load-with-sources.ts';
import type { JsonApi } from '../json-api/json-api.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { exactly, nullable, platformParams } from '../json-api/schemas.ts';
import { grantView, grantViewOf } from '../management/grant-view.ts';
import { standingIdOf } from '../management/standing-id.ts';
import { grantStanding } from '../platforms/grant-standing.ts';
import { foldGrant, platformStreams } from '../platforms/load-parties.ts';
import { archiveView, archiveViewOf } from './archives.ts';
import type { AuditDeps } from './audit-deps.ts';
import { atParameter, momentView, momentViewOf, resolveMoment } from './moment.ts';
import { auditWords } from './words.ts';

/** Grants folded for one page. */
const most = 100;

/** The grants that could act at a moment: candidates from the index, each judged by the log as it was. */
export const liveGrantsRoute =
  (deps: AuditDeps) =>
  (app: JsonApi): void => {
    const { gate, pool } = deps;
    app.get(
      '/:platform/audit/grants',
      {
        ...gate.ofPlatform,
        schema: {
          tags: ['Audit'],
          summary: 'The grants that could act at a moment, the latest first. A page may be short and not the last',
          params: platformParams,
          querystring: exactly({
            at: atParameter,
            clientId: Type.Optional(Type.String({ minLength: 1, maxLength: longestClientId })),
            account: Type.Optional(Type.String({ minLength: 1, maxLength: 36 })),
            cursor: Type.Optional(Type.Integer({ minimum: 0, description: 'next of the page before; give the same moment with it' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: 50 })),
          }),
          response: {
            200: Type.Object({
              at: momentView,
              grants: Type.Array(grantView),
              next: nullable(Type.Integer({ description: 'Give it as cursor for the next page; null on the last' })),
              archives: Type.Array(archiveView, { description: 'Files with grants that may have been among them, and left the log since' }),
            }),
          },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { at, clientId, account: accountId, cursor, limit } = request.query;
        const moment = await resolveMoment(pool, platform, at);
        const account = accountId === undefined ? undefined : standingIdOf<StreamId>(standingKinds.account, accountId);
        if (account === null) throw refusalProblem(auditWords, 'unknown_account');
        const about = {
          ...(clientId === undefined ? {} : { client: names.client(clientId) }),
          ...(account === undefined ? {} : { account }),
        };
        await recordAuditRead(deps.provisioning, by, { platform, question: 'live_grants', about: { ...about, at: moment.position } });
        const { grants: candidates, next } = await listGrantsAsOf(pool, {
          platform,
          at: moment.position,
          ...about,
          ...(cursor === undefined ? {} : { cursor }),
          ...(limit === undefined ? {} : { limit }),
        });
        const ids = candidates.map(({ grantId }) => grantId);
        const requests = [...platformStreams, ...ids.map((streamId) => ({ streamId, follow: true }))];
        const loaded = await loadWithSources(logAsOf(pool, moment), platform, { requests, grants: ids });
        const now = Math.floor(moment.now / 1000);
        const live = ids.flatMap((id) => {
          const state = foldGrant(loaded, id);
          // What waits for its code opens nothing yet.
          if (state.status !== 'active' || grantStanding(loaded, state) !== 'good') return [];
          const { accessExpiresAt, refreshExpiresAt } = state.current;
          return Math.max(accessExpiresAt, refreshExpiresAt ?? 0) <= now ? [] : [grantViewOf(id, state, 'good')];
        });
        // Whatever was archived is over by the last event of its archive.
        const archives = (await listArchives(pool, { platform })).filter(
          ({ firstPosition, lastPosition }) => firstPosition <= moment.position && moment.position < lastPosition,
        );
        return { at: momentViewOf(moment), grants: live, next, archives: archives.map(archiveViewOf) };
      },
    );
  };
