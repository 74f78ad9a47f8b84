import { parsePlatformId } from '@grantlog/domain';
import { ProblemError, problem } from '@grantlog/protocol';
import type { By, PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import type { Operator, OperatorNeed } from './operator.ts';
import { authenticateOperator, requireOperator } from './operator.ts';

/** An operator who was let in, as what follows needs them. */
export type Passage = { readonly operator: Operator; readonly by: By };

export const noSuchPlatform = (): ProblemError =>
  new ProblemError(
    problem({
      status: 404,
      type: 'urn:grantlog:problem:unknown_platform',
      title: 'Not found',
      detail: 'No such platform',
      members: { code: 'unknown_platform' },
    }),
    { headers: { 'cache-control': 'no-store' } },
  );

/** What a route says of its door. */
const configs = {
  manage: { authentication: 'operator', errors: 'problem' },
  audit: { authentication: 'auditor', errors: 'problem' },
} as const;

/**
 * Where operators are let in: before the body is read, and before anything is said about what was asked.
 *
 * The handler asks {@link OperatorGate.passed} for who came in, which fails where nobody asked at the door.
 */
export type OperatorGate = ReturnType<typeof createOperatorGate>;

export const createOperatorGate = (deps: Deps, need: OperatorNeed = 'manage') => {
  const config = configs[need];
  const passages = new WeakMap<FastifyRequest, Passage>();
  const admit = (request: FastifyRequest, operator: Operator): void => {
    passages.set(request, { operator, by: { actor: { kind: 'operator', id: operator.id }, correlationId: request.traceparent } });
  };
  const addressed = async (request: FastifyRequest, name: string): Promise<void> => {
    const platform = parsePlatformId(name);
    if (platform === null) {
      await authenticateOperator(deps, request, need);
      throw noSuchPlatform();
    }
    admit(request, await requireOperator(deps, request, platform, need));
  };
  const parameter = (request: FastifyRequest, name: string): string =>
    (request.params as Readonly<Record<string, string | undefined>>)[name] ?? '';
  const passed = (request: FastifyRequest): Passage => {
    const passage = passages.get(request);
    if (passage === undefined) throw new Error('a management route does not ask for its operator');
    return passage;
  };

  return {
    /** For operators of the platform that the path begins with. */
    ofPlatform: { config, onRequest: (request: FastifyRequest) => addressed(request, parameter(request, 'platform')) },
    /** For operators of the platform that the path ends in or names under `/system/manage/platforms`. */
    ofNamed: { config, onRequest: (request: FastifyRequest) => addressed(request, parameter(request, 'name')) },
    /** For every operator; the handler shows each only what is theirs. */
    ofAny: { config, onRequest: async (request: FastifyRequest) => admit(request, await authenticateOperator(deps, request, need)) },
    passed,
    /** The operator who came in, and the names of the platform that the path begins with. @throws ProblemError 404 */
    platform: async (request: FastifyRequest): Promise<Passage & { readonly names: PlatformNames }> => {
      const passage = passed(request);
      const platform = parsePlatformId(parameter(request, 'platform'));
      const names = platform === null ? null : await deps.directory.open(platform);
      if (names === null) throw noSuchPlatform();
      return { ...passage, names };
    },
  };
};
