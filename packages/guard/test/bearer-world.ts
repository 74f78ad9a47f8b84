import { createGuard, type GuardOutcome, type GuardProblem, type GuardRequest } from '../src/index.ts';
import { startAuthorizationServer } from './authorization-server.ts';

/** What the clock of every guard here shows, in Unix seconds. */
export const nowSeconds = 1_800_000_000;

/** Guards of one resource, the authorization server that they ask, and the problems that they tell of. */
export const openBearerWorld = async () => {
  const server = await startAuthorizationServer();
  const problems: GuardProblem[] = [];

  /** Asked without the caller's address, which no judgement of a token goes by. */
  const guard = (change: Partial<Parameters<typeof createGuard>[0]> = {}) => {
    const { check, metadata } = createGuard({
      issuer: server.issuer,
      resource: server.resource,
      clientId: 'res ource:1',
      clientSecret: 's+c/r%t=&',
      now: () => nowSeconds * 1000,
      onProblem: (problem) => problems.push(problem),
      ...change,
    });
    return { metadata, check: (request: Omit<GuardRequest, 'clientAddress'>) => check({ ...request, clientAddress: undefined }) };
  };

  return {
    server,
    problems,
    guard,
    check: (token = 'tok', scope: readonly string[] = ['read']): Promise<GuardOutcome> =>
      guard().check({ authorization: `Bearer ${token}`, scope }),
    /** What introspection says of a token that is good. */
    live: () => ({
      active: true,
      iss: server.issuer,
      aud: server.resource,
      sub: 'a1',
      client_id: 'c1',
      token_type: 'Bearer',
      scope: 'openid read write all_claims',
      roles: ['api_user', 'administrator'],
      exp: nowSeconds + 1,
    }),
    /** Everything good again, and nothing told of. */
    reset: (): void => {
      problems.length = 0;
      server.reset();
    },
    stop: server.stop,
  };
};

export type BearerWorld = Awaited<ReturnType<typeof openBearerWorld>>;
