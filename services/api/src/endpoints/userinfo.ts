import type { PlatformState } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { bearerChallenge, bearerError, OAuthError } from '@grantlog/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LiveToken } from '../access/resolve-access.ts';
import { resolveShown } from '../access/resolve-shown.ts';
import { dpopOf, readShownToken } from '../access/shown-token.ts';
import type { Deps } from '../deps.ts';
import { foldPlatform } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { claimsOfScopes, tellableClaims, tellClaims } from '../tokens/personal-claims.ts';

/** What the token's scopes open, and what its grant was asked for by name (OIDC Core §5.4, §5.5). */
const claimsOf = (deps: Deps, platform: PlatformId, live: LiveToken): Readonly<Record<string, unknown>> => {
  const { account: record, accountStream, grant, token, client, document } = live;
  const { account, claims: asked } = grant.terms;
  if (record?.status !== 'active' || client.status !== 'active' || accountStream === null || account === null)
    throw new Error('a live token with openid has an active account and client');
  const claims = [...claimsOfScopes(token.scopes), ...tellableClaims({ document, client }, asked?.userinfo ?? [])];
  return { sub: account, ...tellClaims(deps, { platform, account, record, wrappedKey: accountStream.dataKey }, claims) };
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
      const shown = readShownToken(deps, request);
      if (shown === null) {
        throw new OAuthError('invalid_request', {
          status: 401,
          description: 'An access token is required in the Authorization header',
          headers: { 'www-authenticate': bearerChallenge({ realm, scope: ['openid'] }) },
        });
      }
      const { live, refusal, loaded } = await resolveShown(deps, names, shown, { withSecrets: true });
      const compatibility = challengeCompatibilityOf(foldPlatform(loaded));
      if (live === null) throw bearerError({ ...refusal, realm, ...compatibility });
      const dpop = dpopOf(shown);
      if (live.kind !== 'access') {
        const description = 'The access token is invalid, expired or revoked';
        throw bearerError({ code: 'invalid_token', description, reason: 'it is a refresh token', realm, dpop, ...compatibility });
      }
      if (!live.token.scopes.includes('openid')) {
        const description = 'The access token lacks openid';
        throw bearerError({ code: 'insufficient_scope', description, realm, scope: ['openid'], dpop, ...compatibility });
      }
      deps.traces.noteUse({ platform: names.platform, grant: live.grantId, client: live.grant.terms.clientId, request: request.id });
      return reply.header('cache-control', 'no-store').send(claimsOf(deps, names.platform, live));
    };
    const config = { authentication: 'bearer', errors: 'oauth', openToBrowsers: true } as const;
    app.get('/:platform/oauth/userinfo', { config }, answer);
    app.post('/:platform/oauth/userinfo', { config }, answer);
  };
