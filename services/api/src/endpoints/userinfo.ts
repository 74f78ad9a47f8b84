import type { PlatformState } from '@grantlog/domain';
import { bearerChallenge, bearerError, OAuthError, readBearerToken } from '@grantlog/protocol';
import { readPersonal } from '@grantlog/provisioning';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LiveToken } from '../access/resolve-access.ts';
import { resolveAccess } from '../access/resolve-access.ts';
import type { Deps } from '../deps.ts';
import { foldPlatform } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

const claimsOf = (deps: Deps, platform: string, live: LiveToken): Readonly<Record<string, unknown>> => {
  const { account, accountStream, grant, token } = live;
  if (account?.status !== 'active' || accountStream === null || grant.terms.account === null)
    throw new Error('a live token with openid has an active account');
  const personal = readPersonal(deps.sealer, {
    platform: platform as never,
    subject: grant.terms.account,
    wrappedKey: accountStream.dataKey,
    personal: account.personal,
  });
  const fields = personal === 'erased' ? {} : personal;
  return {
    sub: grant.terms.account,
    // OIDC Core §5.4
    ...(token.scopes.includes('email') && fields['email'] !== undefined ? { email: fields['email'], email_verified: false } : {}),
    ...(token.scopes.includes('profile') && fields['name'] !== undefined ? { name: fields['name'] } : {}),
  };
};

/** How the platform's challenges are worded beside RFC 6750. */
const challengeCompatibilityOf = (platform: PlatformState): { readonly compatibility?: 'arlo' } =>
  platform.status !== 'none' && platform.document.switches.arloChallenges ? { compatibility: 'arlo' } : {};

/** The userinfo endpoint (OIDC Core §5.3): who stands behind an access token with `openid`. */
export const userinfoEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const names = await resolvePlatform(deps, request);
      const realm = names.platform;
      const credentials = readBearerToken(request.headers.authorization);
      if (credentials.kind === 'absent') {
        throw new OAuthError('invalid_request', {
          status: 401,
          description: 'An access token is required in the Authorization header',
          headers: { 'www-authenticate': bearerChallenge({ realm, scope: ['openid'] }) },
        });
      }
      // What cannot be a token is looked up like one that can: no branch tells them apart, and the platform's dialect is known.
      const presented = credentials.kind === 'malformed' ? '' : credentials.token;
      const { live, reason, expired, loaded } = await resolveAccess(deps, names, presented, { withSecrets: true });
      const compatibility = challengeCompatibilityOf(foldPlatform(loaded));
      if (live === null || live.kind !== 'access') {
        const code = expired ? 'expired_token' : 'invalid_token';
        const description = expired ? 'The access token has expired' : 'The access token is invalid, expired or revoked';
        throw bearerError({ code, description, reason, realm, ...compatibility });
      }
      if (!live.token.scopes.includes('openid')) {
        const description = 'The access token lacks openid';
        throw bearerError({ code: 'insufficient_scope', description, realm, scope: ['openid'], ...compatibility });
      }
      return reply.header('cache-control', 'no-store').send(claimsOf(deps, names.platform, live));
    };
    const config = { authentication: 'bearer', errors: 'oauth', openToBrowsers: true } as const;
    app.get('/:platform/oauth/userinfo', { config }, answer);
    app.post('/:platform/oauth/userinfo', { config }, answer);
  };
