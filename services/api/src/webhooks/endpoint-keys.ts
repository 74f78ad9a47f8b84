import { type PublicJwk, webhookPublicJwk } from '@grantlog/crypto';
import { validSecrets, webhookEndpointDecider } from '@grantlog/domain';
import { fold } from '@grantlog/eventsourcing';
import { openCredential } from '@grantlog/provisioning';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { sendCacheable } from '../http/cacheable.ts';
import { perAddress } from '../http/rate-limit.ts';
import { refusalProblem } from '../json-api/refusals.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { endpointIdOf } from './endpoint-door.ts';
import { endpointWords } from './endpoint-words.ts';

const config = { authentication: 'none', errors: 'problem', openToBrowsers: true, rateLimit: perAddress(600) } as const;

/**
 * The public keys that what an endpoint is sent is signed with now, newest first, two during a rotation; `kid` is what
 * `webhook-key-id` says. Whose endpoint it is and where it sends is told to nobody.
 */
export const endpointKeys =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.get('/:platform/webhooks/endpoints/:endpointId/jwks.json', { config }, async (request, reply) => {
      const { platform } = await resolvePlatform(deps, request);
      const { endpointId = '' } = request.params as { readonly endpointId?: string };
      const owner = endpointIdOf(endpointId);
      const loaded = await deps.log.load(platform, [{ streamId: owner, withSecrets: true }]);
      const stream = loaded.stream(owner);
      const { credentials } = stream;
      const state = fold(webhookEndpointDecider, stream);
      const isKeyed = (state.status === 'active' || state.status === 'disabled') && state.signature === 'v1a';
      if (!isKeyed) throw refusalProblem(endpointWords, 'unknown_endpoint');
      const keys = validSecrets(state.secrets, loaded.now / 1000).map((id): PublicJwk => {
        const secret = openCredential(deps.sealer, { platform, owner, kind: 'webhook_secret', id, credentials });
        return webhookPublicJwk({ secret: new TextDecoder().decode(secret), kid: id });
      });
      // Soon after a rotation the newest key is what everything names.
      return sendCacheable(request, reply, { mediaType: 'application/jwk-set+json', seconds: 60, body: JSON.stringify({ keys }) });
    });
  };
