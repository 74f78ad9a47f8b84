import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { accountRoutes } from './accounts.ts';
import { clientRoutes } from './clients.ts';
import { createOperatorGate } from './gate.ts';
import { grantRoutes } from './grants.ts';
import { keyRoutes } from './keys.ts';
import type { ManagementDeps } from './management-app.ts';
import { platformRoutes } from './platforms.ts';
import { validatorCompiler } from './validate.ts';
import { webhookEndpointRoutes } from './webhook-endpoints.ts';

/** The management API: JSON in and out, problems (RFC 9457) for errors, operators only. */
export const managementApi =
  (deps: Deps & { readonly pool: Pool }) =>
  async (app: FastifyInstance): Promise<void> => {
    const full: ManagementDeps = { ...deps, gate: createOperatorGate(deps) };
    // A scope of its own: other endpoints take forms and know nothing of these schemas.
    await app.register(async (scope) => {
      scope.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain']);
      scope.setValidatorCompiler(validatorCompiler);
      // The replies' types are checked at compile time; what is typed is what is sent.
      scope.setSerializerCompiler(() => (reply) => JSON.stringify(reply));
      scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      const typed = scope.withTypeProvider<TypeBoxTypeProvider>();
      platformRoutes(full)(typed);
      clientRoutes(full)(typed);
      accountRoutes(full)(typed);
      grantRoutes(full)(typed);
      webhookEndpointRoutes(full)(typed);
      keyRoutes(full)(typed);
    });
  };
