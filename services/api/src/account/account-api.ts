import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import type { ManagementApp } from '../management/management-app.ts';
import { validatorCompiler } from '../management/validate.ts';
import { type AccountGate, createAccountGate } from './gate.ts';
import { integrationAccountRoutes } from './integration-accounts.ts';
import { secondFactorRoutes } from './second-factor.ts';

/** Routes of the account API take and answer JSON by their schemas, as those of the management API do. */
export type AccountApp = ManagementApp;
export type AccountDeps = Deps & { readonly gate: AccountGate };

/** What accounts do with what is their own: JSON in and out, problems (RFC 9457) for errors. */
export const accountApi =
  (deps: Deps) =>
  async (app: FastifyInstance): Promise<void> => {
    const full: AccountDeps = { ...deps, gate: createAccountGate(deps) };
    await app.register(async (scope) => {
      scope.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain']);
      scope.setValidatorCompiler(validatorCompiler);
      // The replies' types are checked at compile time; what is typed is what is sent.
      scope.setSerializerCompiler(() => (reply) => JSON.stringify(reply));
      scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
      const typed: AccountApp = scope.withTypeProvider<TypeBoxTypeProvider>();
      integrationAccountRoutes(full)(typed);
      secondFactorRoutes(full)(typed);
    });
  };
