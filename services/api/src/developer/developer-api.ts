import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Pool } from '@grantlog/postgres';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { validatorCompiler } from '../management/validate.ts';
import { clientTokenRoutes } from './client-tokens.ts';
import { developerClientRoutes } from './clients.ts';
import { createDeveloperGate, type DeveloperDeps } from './developer-app.ts';

/** The developer API: people register and keep the clients that they develop. JSON in and out, problems (RFC 9457) for errors. */
export const developerApi =
  (deps: Deps & { readonly pool: Pool }) =>
  async (app: FastifyInstance): Promise<void> => {
    const full: DeveloperDeps = { ...deps, gate: createDeveloperGate(deps) };
    // A scope of its own: other endpoints take forms and know nothing of these schemas.
    await app.register(async (scope) => {
      scope.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain']);
      scope.setValidatorCompiler(validatorCompiler);
      // The replies' types are checked at compile time; what is typed is what is sent.
      scope.setSerializerCompiler(() => (reply) => JSON.stringify(reply));
      scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      const typed = scope.withTypeProvider<TypeBoxTypeProvider>();
      developerClientRoutes(full)(typed);
      clientTokenRoutes(full)(typed);
    });
  };
