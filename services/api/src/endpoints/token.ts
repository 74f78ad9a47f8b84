import type { PlatformDocument, PlatformGrantType } from '@grantlog/domain';
import { jwtBearerGrant, tokenExchangeGrant } from '@grantlog/domain';
import { readParameters, refuseCredentialsInQuery, tokenResponseHeaders } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import { identifyClient } from '../access/identify-client.ts';
import { proveKey } from '../access/prove-key.ts';
import type { Deps } from '../deps.ts';
import { unsupportedGrantType } from '../grants/refusals.ts';
import { grantRegistry } from '../grants/registry.ts';
import { tokenParameters } from '../grants/token-request.ts';
import { formBody } from '../http/form-body.ts';
import type { EndpointPath } from '../http/require-switch.ts';
import { requireSwitch } from '../http/require-switch.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { traceTokenRequest } from '../traces/trace-token-request.ts';

const documentOf = async (deps: Pick<Deps, 'log'>, { platform }: PlatformNames): Promise<PlatformDocument> => {
  const state = foldPlatform(await deps.log.load(platform, platformStreams));
  if (state.status === 'none') throw new Error(`platform ${platform} has keys but no document`);
  return state.document;
};

const unremarkable: ReadonlySet<string> = new Set<PlatformGrantType>(['refresh_token', 'client_credentials', tokenExchangeGrant]);

/** The token endpoint (RFC 6749 §3.2): names the client, finds the grant type's handler, answers with its tokens. */
export const tokenEndpoint =
  (deps: Deps, paths: readonly EndpointPath[]) =>
  (app: FastifyInstance): void => {
    const grants = grantRegistry(deps);
    const config = { authentication: 'client', errors: 'oauth', openToBrowsers: true, trace: 'token' } as const;
    for (const { path, onlyWith } of paths) {
      app.post(path, { config }, async (request, reply) => {
        const names = await resolvePlatform(deps, request);
        await requireSwitch(deps, names, onlyWith);
        refuseCredentialsInQuery(request.query as Record<string, unknown>);
        const parameters = readParameters(formBody(request), tokenParameters);
        traceTokenRequest(request, parameters);
        // Before anything is taken that the client has only once.
        const proofKey = await proveKey(deps, request, names.platform);
        // An identity provider may have signed for a client that nobody here has used yet.
        const takesStrangers = parameters.get('grant_type') === jwtBearerGrant;
        const credentials = await identifyClient(deps, request, names, parameters, { takesStrangers });
        const handler = grants.get(parameters.require('grant_type'));
        if (handler === undefined) throw unsupportedGrantType(await documentOf(deps, names));
        request.traced.client = credentials.clientId;
        const response = await handler.exchange({
          names,
          credentials,
          parameters,
          proofKey,
          address: request.ip,
          correlationId: request.traceparent,
        });
        // Whoever refreshes, exchanges a token or acts for itself has been connected before.
        if (unremarkable.has(handler.grantType)) request.traced.unremarkable = true;
        return reply.headers(tokenResponseHeaders).send(response);
      });
    }
  };
