import type { Pool } from '@grantlog/postgres';
import { pollMethod, pushMethod } from '@grantlog/provisioning';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { registerJsonApi } from '../json-api/json-api.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { pollRoute } from './poll.ts';
import { isTransmitter } from './signal-door.ts';
import { streamControl } from './stream-control.ts';
import { streamRoutes } from './stream-routes.ts';

/** What a transmitter says of itself. @see OpenID Shared Signals Framework 1.0 §7.1 */
const configurationOf = (issuer: string) => ({
  spec_version: '1_0',
  issuer,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  delivery_methods_supported: [pushMethod, pollMethod],
  configuration_endpoint: `${issuer}/ssf/streams`,
  status_endpoint: `${issuer}/ssf/status`,
  add_subject_endpoint: `${issuer}/ssf/subjects/add`,
  remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
  verification_endpoint: `${issuer}/ssf/verification`,
  authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }],
  default_subjects: 'ALL',
});

const metadata =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'none', errors: 'oauth', openToBrowsers: true, trace: 'discovery' } as const;
    const serve = async (request: FastifyRequest, reply: FastifyReply) => {
      const names = await resolvePlatform(deps, request);
      const platform = foldPlatform(await deps.log.load(names.platform, platformStreams));
      if (platform.status === 'none' || !isTransmitter(platform.document)) {
        return reply.code(404).header('cache-control', 'no-store').send({
          error: 'not_found',
          error_description: 'This platform transmits no security events: its document has no scope ssf.manage',
        });
      }
      return reply.header('cache-control', 'public, max-age=300').send(configurationOf(issuerOf(platform.document, deps.config.publicUrl)));
    };
    app.get('/.well-known/ssf-configuration/:platform', { config }, serve);
    app.get('/:platform/.well-known/ssf-configuration', { config }, serve);
  };

/** The transmitter of security events. @see OpenID Shared Signals Framework 1.0, RFC 8935, RFC 8936 */
export const signalApi =
  (deps: Deps & { readonly pool: Pool }) =>
  async (app: FastifyInstance): Promise<void> => {
    metadata(deps)(app);
    await registerJsonApi(app, streamRoutes(deps), streamControl(deps), pollRoute(deps));
  };
