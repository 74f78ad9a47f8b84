import type { AccountId } from '@grantlog/domain';
import type { Pool } from '@grantlog/postgres';
import type { By, PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import { authenticateAccount } from '../access/authenticate-account.ts';
import type { Deps } from '../deps.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** A developer who was let in: whatever follows is about clients of this account on this platform. */
export type Developer = { readonly names: PlatformNames; readonly account: AccountId; readonly by: By };

/**
 * Where developers are let in: before the body is read, and before anything is said about what was asked.
 *
 * The handler asks {@link DeveloperGate.passed} for who came in, which fails where nobody asked at the door.
 */
type DeveloperGate = ReturnType<typeof createDeveloperGate>;

export const createDeveloperGate = (deps: Deps) => {
  const developers = new WeakMap<FastifyRequest, Developer>();
  return {
    /** What every route of the developer API begins with. */
    route: {
      config: { authentication: 'account', errors: 'problem' } as const,
      onRequest: async (request: FastifyRequest): Promise<void> => {
        const names = await resolvePlatform(deps, request);
        const { account, by } = await authenticateAccount(deps, request, names, 'developer');
        developers.set(request, { names, account, by });
      },
    },
    passed: (request: FastifyRequest): Developer => {
      const developer = developers.get(request);
      if (developer === undefined) throw new Error('a developer route does not ask for its developer');
      return developer;
    },
  };
};

export type DeveloperDeps = Deps & { readonly pool: Pool; readonly gate: DeveloperGate };
