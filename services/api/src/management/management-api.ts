import type { Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import { accountContextRoutes } from './account-contexts.ts';
import { accountRoutes } from './accounts.ts';
import { clientRoutes } from './clients.ts';
import { connectionAttemptRoutes } from './connection-attempts.ts';
import { deliveryRoutes } from './deliveries.ts';
import { createOperatorGate } from './gate.ts';
import { grantRoutes } from './grants.ts';
import { keyRoutes } from './keys.ts';
import type { ManagementDeps } from './management-deps.ts';
import { platformRoutes } from './platforms.ts';
import { recoveryRoutes } from './recoveries.ts';
import { sessionRoutes } from './sessions.ts';
import { webhookEndpointRoutes } from './webhook-endpoints.ts';

/** The management API: for operators only. */
export const managementApi =
  (deps: Deps & { readonly pool: Pool }) =>
  (app: FastifyInstance): Promise<void> => {
    const full: ManagementDeps = { ...deps, gate: createOperatorGate(deps) };
    return registerJsonApi(
      app,
      platformRoutes(full),
      clientRoutes(full),
      accountRoutes(full),
      accountContextRoutes(full),
      grantRoutes(full),
      sessionRoutes(full),
      webhookEndpointRoutes(full),
      deliveryRoutes(full),
      recoveryRoutes(full),
      keyRoutes(full),
      connectionAttemptRoutes(full),
    );
  };
