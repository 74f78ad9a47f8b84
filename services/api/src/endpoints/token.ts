import type { PlatformDocument } from '@grantlog/domain';
import { readClientCredentials, readParameters, refuseCredentialsInQuery, tokenResponseHeaders } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { unsupportedGrantType } from '../grants/refusals.ts';
import { grantRegistry } from '../grants/registry.ts';
import { tokenParameters } from '../grants/token-request.ts';
import { formBody } from '../http/form-body.ts';
import type { EndpointPath } from '../http/require-switch.ts';
import { requireSwitch } from '../http/require-switch.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

const documentOf = async (deps: Pick<Deps, 'log'>, { platform }: PlatformNames): Promise<PlatformDocument> => {
  const state = foldPlatform(await deps.log.load(platform, platformStreams));
  if (state.status === 'none') throw new Error(`platform ${platform} has keys but no document`);
  return state.document;
};

/** The token endpoint (RFC 6749 §3.2): names the client, finds the grant type's handler, answers with its tokens. */
export const tokenEndpoint =
  (deps: Deps, paths: readonly EndpointPath[]) =>
  (app: FastifyInstance): void => {
    const grants = grantRegistry(deps);
    for (const { path, onlyWith } of paths) {
      app.post(path, { config: { authentication: 'client', errors: 'oauth', openToBrowsers: true } }, async (request, reply) => {
        const names = await resolvePlatform(deps, request);
        await requireSwitch(deps, names, onlyWith);
        refuseCredentialsInQuery(request.query as Record<string, unknown>);
        const parameters = readParameters(formBody(request), tokenParameters);
        const credentials = readClientCredentials({
          authorization: request.headers.authorization,
          parameters: { clientId: parameters.get('client_id'), clientSecret: parameters.get('client_secret') },
          realm: names.platform,
        });
        const handler = grants.get(parameters.require('grant_type'));
        if (handler === undefined) throw unsupportedGrantType(await documentOf(deps, names));
        const response = await handler.exchange({ names, credentials, parameters, proofKey: null, correlationId: request.id });
        return reply.headers(tokenResponseHeaders).send(response);
      });
    }
  };
