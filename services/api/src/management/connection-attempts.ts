import { parseStreamId } from '@grantlog/domain';
import { type KeptConnectionStep, listConnectionBeginnings, listConnectionSteps } from '@grantlog/postgres';
import Type, { type Static } from 'typebox';
import type { JsonApi } from '../json-api/json-api.ts';
import { exactly, instant, nullable, platformParams } from '../json-api/schemas.ts';
import { assembleAttempts, type ConnectionAttempt, lookBack } from '../traces/attempt.ts';
import { judgeAttempt } from '../traces/verdict.ts';
import type { ManagementDeps } from './management-deps.ts';

const stepNames = ['discovery', 'registration', 'push', 'authorize', 'consent', 'token', 'first_use'] as const;

const attemptView = Type.Object({
  attempt: Type.String({
    description: 'Id of the request with which it began: `reqId` of its lines in the log, which name its trace as well',
  }),
  startedAt: instant,
  clientId: nullable(Type.String()),
  grantId: nullable(Type.String()),
  status: Type.Enum(['connected', 'waiting', 'failed']),
  step: nullable(Type.Enum([...stepNames], { description: 'Where it waits or failed; null where it is connected' })),
  problem: nullable(Type.String()),
  fix: nullable(Type.String({ description: 'What to do about it' })),
  steps: Type.Array(
    Type.Object({
      step: Type.Enum([...stepNames]),
      at: instant,
      outcome: Type.Enum(['ok', 'refused']),
      error: nullable(Type.String()),
      description: nullable(Type.String()),
      request: Type.String(),
      clientId: nullable(Type.String()),
      grantId: nullable(Type.String()),
      program: nullable(Type.String({ description: 'What the client calls itself' })),
    }),
  ),
});

const iso = (time: number): string => new Date(time).toISOString();

const stepView = ({
  step,
  at,
  refusal,
  request,
  client,
  grant,
  program,
}: KeptConnectionStep): Static<typeof attemptView>['steps'][number] => ({
  step,
  at: iso(at),
  outcome: refusal === null ? 'ok' : 'refused',
  error: refusal?.error ?? null,
  description: refusal?.detail ?? null,
  request,
  clientId: client,
  grantId: grant,
  program,
});

const viewOf = (attempt: ConnectionAttempt, now: number): Static<typeof attemptView> => {
  const { beginning, client, grant, steps } = attempt;
  const verdict = judgeAttempt(attempt, now);
  return {
    attempt: beginning.attempt ?? beginning.request,
    startedAt: iso(steps[0]?.at ?? beginning.at),
    clientId: client,
    grantId: grant,
    status: verdict.status,
    step: verdict.status === 'connected' ? null : verdict.step,
    problem: verdict.status === 'connected' ? null : verdict.problem,
    fix: verdict.status === 'failed' ? verdict.fix : null,
    steps: steps.slice(-50).map(stepView),
  };
};

/** How clients tried to connect, step by step: kept for two weeks, and no truth that anything depends on. */
export const connectionAttemptRoutes =
  (deps: ManagementDeps) =>
  (app: JsonApi): void => {
    const { gate } = deps;
    app.get(
      '/:platform/manage/connection-attempts',
      {
        ...gate.ofPlatform,
        schema: {
          tags: ['Connections'],
          summary: 'List attempts to connect, newest first, each with the step that failed and what to do about it',
          params: platformParams,
          querystring: exactly({
            clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
            grantId: Type.Optional(Type.String({ maxLength: 36 })),
            status: Type.Optional(Type.Enum(['connected', 'waiting', 'failed'])),
            before: Type.Optional(Type.Integer({ minimum: 1, description: 'next of the page before' })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
          }),
          response: { 200: Type.Object({ attempts: Type.Array(attemptView), next: nullable(Type.Integer()) }) },
        },
      },
      async (request) => {
        const { names } = await gate.platform(request);
        const { platform } = names;
        const { clientId, grantId, status, before, limit = 20 } = request.query;
        const grant = grantId === undefined ? null : parseStreamId(grantId);
        // An id that no grant can have belongs to none.
        if (grantId !== undefined && grant === null) return { attempts: [], next: null };
        const beginnings = await listConnectionBeginnings(deps.pool, {
          platform,
          client: clientId ?? null,
          grant,
          before: before ?? null,
          limit,
        });
        const [newest, oldest] = [beginnings[0], beginnings.at(-1)];
        if (newest === undefined || oldest === undefined) return { attempts: [], next: null };
        const steps = await listConnectionSteps(deps.pool, {
          platform,
          attempts: beginnings.flatMap(({ attempt }) => attempt ?? []),
          clients: beginnings.flatMap(({ client }) => client ?? []),
          from: oldest.at - lookBack,
          to: newest.at + lookBack,
        });
        const now = Date.now();
        const attempts = assembleAttempts(beginnings, steps).map((attempt) => viewOf(attempt, now));
        return {
          attempts: status === undefined ? attempts : attempts.filter((attempt) => attempt.status === status),
          next: beginnings.length < limit ? null : oldest.id,
        };
      },
    );
  };
