import type { ClientStreamId, GrantCommand } from '@grantlog/domain';
import { grantDecider, platformStream } from '@grantlog/domain';
import type { Plan } from '@grantlog/eventsourcing';
import { execute } from '@grantlog/eventsourcing';
import { clientParameters, OAuthError, readParameters, refuseCredentialsInQuery } from '@grantlog/protocol';
import { commitOn } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import { authenticateClient } from '../access/authenticate-client.ts';
import { identifyClient } from '../access/identify-client.ts';
import type { Deps } from '../deps.ts';
import { formBody } from '../http/form-body.ts';
import type { EndpointPath } from '../http/require-switch.ts';
import { requireSwitch } from '../http/require-switch.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldGrant, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { proveToken, readToken } from '../tokens/read-token.ts';

const parameters = ['token', 'token_type_hint', ...clientParameters] as const;

/**
 * Revocation (RFC 7009), committed before the 200 is sent. A refresh token, spent or not, takes its grant with it;
 * an access token goes alone. Unknown, expired and foreign tokens answer 200, so the reply reveals nothing.
 */
export const revocationEndpoint =
  (deps: Deps, paths: readonly EndpointPath[]) =>
  (app: FastifyInstance): void => {
    for (const { path, onlyWith } of paths) {
      app.post(path, { config: { authentication: 'client', errors: 'oauth', openToBrowsers: true } }, async (request, reply) => {
        const names = await resolvePlatform(deps, request);
        const { platform } = names;
        await requireSwitch(deps, names, onlyWith);
        refuseCredentialsInQuery(request.query as Record<string, unknown>);
        const sent = readParameters(formBody(request), parameters);
        const credentials = await identifyClient(deps, request, names, sent);
        const claimed = readToken(sent.require('token'));
        const caller: ClientStreamId = names.client(credentials.clientId);

        const { outcome } = await execute({
          log: deps.log,
          platform,
          requests: [
            ...platformStreams,
            { streamId: caller, withSecrets: true },
            ...(claimed === null ? [] : [{ streamId: claimed.grantId }]),
          ],
          decide: async (loaded): Promise<Plan<'revoked' | 'nothing' | 'wrong_client'>> => {
            authenticateClient(deps.sealer, {
              platform,
              credentials,
              state: foldClient(loaded, caller),
              stream: loaded.stream(caller),
              now: loaded.now,
            });
            const platformState = foldPlatform(loaded);
            const grant = claimed === null ? null : foldGrant(loaded, claimed.grantId);
            if (claimed === null || platformState.status === 'none' || grant?.status !== 'active')
              return { commit: null, outcome: 'nothing' };
            const keys = await deps.keys.of(platform, foldKeyRing(loaded));
            const { document } = platformState;
            const issuer = issuerOf(document, deps.config.publicUrl);
            const token = await proveToken(claimed, { platform, issuer, document, keys, terms: grant.terms, now: loaded.now });
            if (token === null || token.kind === 'code') return { commit: null, outcome: 'nothing' };
            const command: GrantCommand =
              token.kind === 'refresh'
                ? { type: 'revoke_by_token', client: caller, presented: token }
                : { type: 'revoke_access_token', now: loaded.now, client: caller, presented: token };
            const { events, refusal } = grantDecider.decide(command, grant);
            if (refusal === 'wrong_client') return { commit: null, outcome: 'wrong_client' };
            const by = { actor: { kind: 'client', id: caller }, correlationId: request.traceparent } as const;
            return {
              commit: commitOn(loaded, by, { writes: [{ streamId: claimed.grantId, events }], reads: [platformStream, caller] }),
              outcome: refusal === undefined ? 'revoked' : 'nothing',
            };
          },
        });
        // RFC 7009 §2.1: the client is informed when the token was issued to another.
        if (outcome === 'wrong_client')
          throw new OAuthError('unauthorized_client', { description: 'The token was issued to another client' });
        return reply.header('cache-control', 'no-store').code(200).send();
      });
    }
  };
