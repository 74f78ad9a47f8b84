import { explorationHeaders } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { type AuthenticatedAccount, authenticateAccount, type Need } from './authenticate-account.ts';

/** An account that was let in, and the names of its platform. */
export type AccountPassage = AuthenticatedAccount & { readonly names: PlatformNames };

/**
 * Where accounts are let in to what is their own: before the body is read, and before anything is said about what was
 * asked. Whatever is answered to HTTP Basic from here on, refusals included, tells of its end.
 */
export type AccountGate = ReturnType<typeof createAccountGate>;

export const createAccountGate = (deps: Deps, need: Need) => {
  const passages = new WeakMap<FastifyRequest, AccountPassage>();
  return {
    /** What every route behind the gate begins with. */
    route: {
      config: { authentication: 'account', errors: 'problem' } as const,
      onRequest: async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
        const names = await resolvePlatform(deps, request);
        const authenticated = await authenticateAccount(deps, request, names, need);
        if (authenticated.how === 'basic') void reply.headers(Object.fromEntries(explorationHeaders(authenticated.notice)));
        passages.set(request, { ...authenticated, names });
      },
    },
    /** Who came in. Fails where nobody asked at the door. */
    passed: (request: FastifyRequest): AccountPassage => {
      const passage = passages.get(request);
      if (passage === undefined) throw new Error(`a route of the ${need} API does not ask for its account`);
      return passage;
    },
  };
};
