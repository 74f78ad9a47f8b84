import type { FastifyRequest } from 'fastify';
import { readShownToken } from '../access/shown-token.ts';
import type { AgentContext } from '../agent/context.ts';
import { identifyAgent } from '../agent/identify-agent.ts';
import { openSignUp, type SignUpPlatform } from '../agent/open-sign-up.ts';
import type { Deps } from '../deps.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { restProblem } from './rest-problem.ts';

type Passage = SignUpPlatform & { readonly context: AgentContext };

/** Where agents come in over REST, before anything is read of what they ask. */
export type RestGate = ReturnType<typeof createRestGate>;

export const createRestGate = (deps: Deps) => {
  const passages = new WeakMap<FastifyRequest, Passage>();

  const enter = async (request: FastifyRequest): Promise<Passage> => {
    const names = await resolvePlatform(deps, request);
    const signUp = await openSignUp({ deps, names });
    const passage: Passage = {
      ...signUp,
      context: {
        deps,
        names,
        from: { address: request.ip, userAgent: request.headers['user-agent'] ?? '' },
        shown: readShownToken(deps, request),
        requestId: request.id,
        correlationId: request.traceparent,
      },
    };
    passages.set(request, passage);
    return passage;
  };

  return {
    /** Anybody: what begins a sign-up proves nothing of who asks. */
    open: {
      config: { authentication: 'none', errors: 'problem' } as const,
      onRequest: async (request: FastifyRequest): Promise<void> => void (await enter(request)),
    },
    /** Whoever has the sessionId, and more for who has the session's token as well. */
    bySessionId: {
      config: { authentication: 'agent', errors: 'problem' } as const,
      onRequest: async (request: FastifyRequest): Promise<void> => void (await enter(request)),
    },
    /** Whoever has a living access token. */
    byToken: {
      config: { authentication: 'agent', errors: 'problem' } as const,
      onRequest: async (request: FastifyRequest): Promise<void> => {
        await identifyAgent((await enter(request)).context);
      },
    },
    /** Who came in. Fails where nobody asked at the door. */
    passed: (request: FastifyRequest): AgentContext => {
      const passage = passages.get(request);
      if (passage === undefined) throw new Error('a REST route for agents does not ask at its gate');
      return passage.context;
    },
    /** @throws what it is given, as a problem where an agent caused it. */
    answer: (error: unknown, request: FastifyRequest): never => {
      const passage = passages.get(request);
      throw passage === undefined ? error : restProblem(error, passage);
    },
  };
};
