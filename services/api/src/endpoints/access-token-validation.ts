import { OAuthError, readParameters } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { resolveAccess } from '../access/resolve-access.ts';
import { lacksContext } from '../contexts/standing-context.ts';
import type { Deps } from '../deps.ts';
import { perAddress } from '../http/rate-limit.ts';
import { requireSwitch } from '../http/require-switch.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { introspectionOf } from './introspect.ts';

/**
 * `GET accesstokenvalidation?token=`: 200 with claims that name no person, or 400. Documented without credentials, so
 * it is bounded per address; its query is redacted from logs. A resource server asks introspection instead, which keeps
 * tokens out of URLs and says whom a token is for.
 */
export const accessTokenValidationEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.get(
      '/:platform/oauth/connect/accesstokenvalidation',
      { exposeHeadRoute: false, config: { authentication: 'token', errors: 'oauth', rateLimit: perAddress(600) } },
      async (request, reply) => {
        const names = await resolvePlatform(deps, request);
        await requireSwitch(deps, names, 'connectPaths');
        const sent = readParameters(request.query, ['token']);
        const { live, reason } = await resolveAccess(deps, names, sent.require('token'));
        const invalid = (why: string): OAuthError =>
          new OAuthError('invalid_token', { status: 400, description: 'The token is invalid, expired or revoked', reason: why });
        if (live === null || live.kind !== 'access') throw invalid(reason);
        if (lacksContext(live, live.grant, { account: live.account, resource: live.token.resource })) throw invalid('it lacks its context');
        const { active: _, ...claims } = introspectionOf(live);
        return reply.header('cache-control', 'no-store').send(claims);
      },
    );
  };
