import { type DocumentProblem, type EndpointId, standingKinds, type WebhookEndpointState, webhookEndpointDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { listRecoveries } from '@grantlog/postgres';
import { cancelRecovery, type PlatformNames, requestRecovery } from '@grantlog/provisioning';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { missing, orThrow, type RefusalWords, refusalProblem, unfit } from '../json-api/refusals.ts';
import { changed, exactly, position } from '../json-api/schemas.ts';
import { invalidContents } from '../json-api/validate.ts';
import { endpointWords } from '../webhooks/endpoint-words.ts';
import { type RecoveryBeginning, type RecoveryRange, recoveryRange } from '../webhooks/recovery-range.ts';
import { recoveryView, viewOfRecoveries } from '../webhooks/recovery-view.ts';
import type { ManagementDeps } from './management-deps.ts';
import { standingIdOf } from './standing-id.ts';

const words = {
  ...endpointWords,
  unknown_recovery: missing('The endpoint has no such recovery'),
  recovery_empty: unfit('Nothing was told then: the recovery would end before it begins'),
  not_kept: unfit('What was told then is kept no more'),
} as const satisfies Record<'unknown_recovery' | 'recovery_empty' | 'not_kept' | keyof typeof endpointWords, RefusalWords>;

const tags = ['Webhook deliveries'];
/** The most that a list shows. */
const latest = 100;
const endpointParams = Type.Object({ platform: Type.String(), endpointId: Type.String() });
const recoveryParams = Type.Object({ platform: Type.String(), endpointId: Type.String(), recoveryId: Type.String() });
const time = (description: string) => Type.String({ maxLength: 40, description: `${description}; RFC 3339, such as 2026-10-31T08:00:00Z` });
const requested = exactly({
  since: Type.Optional(time('From when on; either this or position')),
  position: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'From which position of the log on' })),
  until: Type.Optional(time('Up to when; up to now where it is left out')),
  ratePerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  includeDelivered: Type.Optional(Type.Boolean({ default: false, description: 'Whether what was delivered is sent again, too' })),
});

const timeShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** Milliseconds since the epoch. @throws ProblemError 400 */
const parseTime = (path: string, text: string): number => {
  const at = timeShape.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw invalidContents('body', [{ path, problem: 'is no time', fix: 'Send a time as RFC 3339 has it, such as 2026-10-31T08:00:00Z.' }]);
  return at;
};

/** @throws ProblemError 400 where not exactly one beginning is given */
const beginningOf = ({ since, position: from }: Static<typeof requested>): RecoveryBeginning => {
  if (since !== undefined && from === undefined) return { since: parseTime('since', since) };
  if (since === undefined && from !== undefined) return { position: from };
  const problem = since === undefined ? 'is missing' : 'is given beside position';
  throw invalidContents('body', [{ path: 'since', problem, fix: 'Send one of since and position.' }]);
};

/** Where those begin that are there, for whom asked for more. */
const keptOf = ({ oldest }: Extract<RecoveryRange, { refusal: 'not_kept' }>, path: string): readonly DocumentProblem[] => {
  if (oldest === null) return [{ path, problem: 'is from before everything that is kept', fix: 'Send one of the last 30 days.' }];
  const at = `${new Date(oldest.at).toISOString()}, at position ${oldest.position}`;
  return [{ path, problem: `is before the oldest message that is kept, of ${at}`, fix: 'Send that one, or a later one.' }];
};

/** Recoveries: an endpoint is sent what it missed, at a bounded rate and after everything else. */
export const recoveryRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate, pool, provisioning } = deps;
    const idOf = (text: string): EndpointId => {
      const id = standingIdOf<EndpointId>(standingKinds.webhookEndpoint, text);
      if (id === null) throw refusalProblem(words, 'unknown_endpoint');
      return id;
    };
    const endpointOf = async ({ platform }: PlatformNames, endpoint: EndpointId): Promise<WebhookEndpointState> => {
      const state = fold(webhookEndpointDecider, (await deps.log.load(platform, [{ streamId: endpoint }])).stream(endpoint));
      if (state.status === 'none') throw refusalProblem(words, 'unknown_endpoint');
      return state;
    };
    const recoveriesOf = async (names: PlatformNames, endpoint: EndpointId) => {
      // What the log has and the table has not is about to begin: the log is read first.
      const state = await endpointOf(names, endpoint);
      return viewOfRecoveries(await listRecoveries(pool, { platform: names.platform, endpoint, limit: latest }), state);
    };
    const recoveryOf = async (names: PlatformNames, params: Static<typeof recoveryParams>) => {
      const endpoint = idOf(params.endpointId);
      const found = (await recoveriesOf(names, endpoint)).find(({ recoveryId }) => recoveryId === params.recoveryId);
      if (found === undefined) throw refusalProblem(words, 'unknown_recovery');
      return { endpoint, found };
    };

    app.post(
      '/:platform/manage/webhook-endpoints/:endpointId/recoveries',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Send an endpoint what it missed: whatever it hears that was not delivered to it, since a time or a position',
          params: endpointParams,
          body: requested,
          response: { 202: Type.Object({ recoveryId: Type.String(), position }) },
        },
      },
      async (request, reply) => {
        const { names, by } = await gate.platform(request);
        const { platform } = names;
        const { body } = request;
        const beginning = beginningOf(body);
        const until = body.until === undefined ? null : parseTime('until', body.until);
        const endpoint = idOf(request.params.endpointId);
        await endpointOf(names, endpoint);
        const range = await recoveryRange(pool, { platform, beginning, until, now: Date.now() });
        if ('refusal' in range)
          throw refusalProblem(
            words,
            range.refusal,
            range.refusal === 'not_kept' ? keptOf(range, 'since' in beginning ? 'since' : 'position') : [],
          );
        const { ratePerSecond = 50, includeDelivered = false } = body;
        const outcome = orThrow(
          words,
          await requestRecovery(provisioning, by, { platform, endpoint, ...range, ratePerSecond, includeDelivered }),
        );
        return reply
          .code(202)
          .header('location', `/${platform}/manage/webhook-endpoints/${endpoint}/recoveries/${outcome.recoveryId}`)
          .send(outcome);
      },
    );

    app.get(
      '/:platform/manage/webhook-endpoints/:endpointId/recoveries',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: `List the recoveries of an endpoint, newest first: the latest ${latest}`,
          params: endpointParams,
          response: { 200: Type.Object({ recoveries: Type.Array(recoveryView) }) },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        return { recoveries: [...(await recoveriesOf(names, idOf(request.params.endpointId)))] };
      },
    );

    app.get(
      '/:platform/manage/webhook-endpoints/:endpointId/recoveries/:recoveryId',
      {
        ...gate.ofPlatform,
        schema: { tags, summary: 'Read how far a recovery has come', params: recoveryParams, response: { 200: recoveryView } },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        return (await recoveryOf(names, request.params)).found;
      },
    );

    app.delete(
      '/:platform/manage/webhook-endpoints/:endpointId/recoveries/:recoveryId',
      {
        ...gate.ofPlatform,
        schema: {
          tags,
          summary: 'Cancel a recovery; what it has made due goes out all the same',
          params: recoveryParams,
          response: { 200: changed },
        },
      },
      async (request) => {
        const { names, by } = await gate.platform(request);
        const { endpoint, found } = await recoveryOf(names, request.params);
        const task = { platform: names.platform, endpoint, recoveryId: found.recoveryId };
        return orThrow(words, await cancelRecovery(provisioning, by, task));
      },
    );
  };
