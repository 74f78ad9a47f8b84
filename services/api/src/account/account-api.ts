import type { FastifyInstance } from 'fastify';
import { createAccountGate } from '../access/account-gate.ts';
import type { Deps } from '../deps.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import type { AccountDeps } from './account-deps.ts';
import { exportRoutes } from './export.ts';
import { grantRoutes } from './grants.ts';
import { integrationAccountRoutes } from './integration-accounts.ts';
import { passwordRoutes } from './password.ts';
import { secondFactorRoutes } from './second-factor.ts';

/** The account API: what accounts do with what is their own. */
export const accountApi =
  (deps: Deps) =>
  (app: FastifyInstance): Promise<void> => {
    const full: AccountDeps = { ...deps, gate: createAccountGate(deps, 'account') };
    return registerJsonApi(
      app,
      exportRoutes(full),
      grantRoutes(full),
      integrationAccountRoutes(full),
      passwordRoutes(full),
      secondFactorRoutes(full),
    );
  };
