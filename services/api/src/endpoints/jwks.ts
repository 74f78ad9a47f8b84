import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { foldKeyRing, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

/** The platform's public keys (RFC 7517 §5), pending ones included so that caches know them before they sign. */
export const jwksEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.get(
      '/:platform/.well-known/jwks.json',
      { config: { authentication: 'none', errors: 'oauth', openToBrowsers: true } },
      async (request, reply) => {
        const names = await resolvePlatform(deps, request);
        const ring = foldKeyRing(await deps.log.load(names.platform, platformStreams));
        const keys = await deps.keys.of(names.platform, ring);
        return reply.header('cache-control', 'public, max-age=300').send({ keys: keys.publicJwks });
      },
    );
  };
