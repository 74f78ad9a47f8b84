import { OAuthError, readClientCredentials, readParameters, refuseCredentialsInQuery, tokenResponseHeaders } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { grantRegistry } from '../grants/registry.ts';
import { tokenParameters } from '../grants/token-request.ts';
import { formBody } from '../http/form-body.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** The token endpoint (RFC 6749 §3.2): names the client, finds the grant type's handler, answers with its tokens. */
export const tokenEndpoint =
  (deps: Deps, paths: readonly string[]) =>
  (app: FastifyInstance): void => {
    const grants = grantRegistry(deps);
    for (const path of paths) {
      app.post(path, { config: { authentication: 'client', errors: 'oauth', openToBrowsers: true } }, async (request, reply) => {
        const names = await resolvePlatform(deps, request);
        refuseCredentialsInQuery(request.query as Record<string, unknown>);
        const parameters = readParameters(formBody(request), tokenParameters);
        const credentials = readClientCredentials({
          authorization: request.headers.authorization,
          parameters: { clientId: parameters.get('client_id'), clientSecret: parameters.get('client_secret') },
          realm: names.platform,
        });
        const handler = grants.get(parameters.require('grant_type'));
        if (handler === undefined)
          throw new OAuthError('unsupported_grant_type', { description: `grant_type must be one of ${[...grants.keys()].join(', ')}` });
        const response = await handler.exchange({ names, credentials, parameters, correlationId: request.id });
        return reply.headers(tokenResponseHeaders).send(response);
      });
    }
  };
