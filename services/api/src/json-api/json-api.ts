import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import { validatorCompiler } from './validate.ts';

/** What routes of a JSON API are added to: their schemas type their requests and replies. */
export type JsonApi = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/**
 * Adds routes that take JSON by their schemas and nothing else, answer JSON that no cache keeps, and name what is wrong
 * in problems (RFC 9457). Who is let in is each route's own: its gate stands before its body is read.
 *
 * A scope of its own: other endpoints take forms and know nothing of these schemas.
 */
export const registerJsonApi = async (app: FastifyInstance, ...routes: readonly ((api: JsonApi) => void)[]): Promise<void> => {
  await app.register(async (scope) => {
    scope.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain']);
    scope.setValidatorCompiler(validatorCompiler);
    // The replies' types are checked at compile time; what is typed is what is sent.
    scope.setSerializerCompiler(() => (reply) => JSON.stringify(reply));
    scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
    const api: JsonApi = scope.withTypeProvider<TypeBoxTypeProvider>();
    for (const add of routes) add(api);
  });
};
