import type { Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import { createAccountGate } from '../access/account-gate.ts';
import type { Deps } from '../deps.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import { clientTokenRoutes } from './client-tokens.ts';
import { developerClientRoutes } from './clients.ts';
import type { DeveloperDeps } from './developer-deps.ts';

/** The developer API: people register and keep the clients that they develop. */
export const developerApi =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): Promise<void> => {
    const full: DeveloperDeps = { ...deps, gate: createAccountGate(deps, 'developer') };
    return registerJsonApi(app, developerClientRoutes(full), clientTokenRoutes(full));
  };
