import { impliedScopes } from '@grantlog/domain';
import { clientAuthenticationError, clientParameters, readParameters, refuseCredentialsInQuery } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { authenticateClient } from '../access/authenticate-client.ts';
import { identifyClient } from '../access/identify-client.ts';
import type { LiveToken } from '../access/resolve-access.ts';
import { resolveAccess } from '../access/resolve-access.ts';
import { contextsFor } from '../contexts/contexts-for.ts';
import { lacksContext, standingContext } from '../contexts/standing-context.ts';
import { actClaimOf } from '../delegation/act-claim.ts';
import type { Deps } from '../deps.ts';
import { formBody } from '../http/form-body.ts';
import { foldClient } from '../platforms/load-parties.ts';
import { servesResource } from '../platforms/own-resources.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { accessTokenId } from '../tokens/issue-tokens.ts';

/** What a resource server learns of a live token (RFC 7662 §2.2). No personal data: the subject is a pseudonym. */
export const introspectionOf = (live: LiveToken): Readonly<Record<string, unknown>> => {
  const { token, grant, issuer } = live;
  const { terms } = grant;
  const { jkt } = grant.current;
  const context = standingContext(live.document, grant, live.account);
  return {
    active: true,
    iss: issuer,
    client_id: terms.clientId,
    sub: terms.account ?? terms.clientId,
    scope: token.scopes.join(' '),
    exp: token.expiresAt,
    ...(live.kind === 'access'
      ? { token_type: jkt === undefined ? 'Bearer' : 'DPoP', jti: accessTokenId(live.grantId as never, token.sequence) }
      : {}),
    ...(token.sequence === grant.current.sequence ? { iat: Math.floor(grant.current.issuedAt / 1000) } : {}),
    ...(token.resource === null ? {} : { aud: token.resource }),
    ...(context === null ? {} : { context }),
    // RFC 9449 §6.2
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    ...(terms.delegation === undefined ? {} : { act: actClaimOf(terms) }),
    grant_id: live.grantId,
  };
};

/**
 * What the resource server of a token learns besides: all that its scopes come to, implied ones included, so that it need
 * not know the platform's vocabulary; and the roles of the person as they are now.
 */
const forResource = ({ token, document, account }: LiveToken): Readonly<Record<string, unknown>> => ({
  scope: [...new Set([...token.scopes, ...impliedScopes(token.scopes, document)])].join(' '),
  ...(account?.status === 'active' ? { roles: account.roles } : {}),
});

const parameters = ['token', 'token_type_hint', ...clientParameters] as const;

/**
 * Introspection (RFC 7662). The caller is a confidential client, and the token its own or for a resource it serves;
 * whatever else is asked about is exactly `{"active":false}`.
 */
export const introspectionEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/oauth/introspect', { config: { authentication: 'client', errors: 'oauth' } }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      refuseCredentialsInQuery(request.query as Record<string, unknown>);
      const sent = readParameters(formBody(request), parameters);
      const credentials = await identifyClient(deps, request, names, sent);
      if (credentials.method === 'none')
        throw clientAuthenticationError({ realm: names.platform, reason: 'a public client asked to introspect' });
      const token = sent.require('token');
      const caller = names.client(credentials.clientId);
      const { live, loaded, reason } = await resolveAccess(deps, names, token, { also: [{ streamId: caller, withSecrets: true }] });
      const client = authenticateClient(deps.sealer, {
        platform: names.platform,
        credentials,
        state: foldClient(loaded, caller),
        stream: loaded.stream(caller),
        now: loaded.now,
      });
      const isForCaller = live !== null && live.token.resource !== null && servesResource(live, client, live.token.resource);
      const serves = isForCaller && !lacksContext(live, live.grant, { account: live.account, resource: live.token.resource });
      const mayKnow = live !== null && (live.grant.terms.client === caller || serves);
      if (serves && live.kind === 'access')
        deps.traces.noteUse({ platform: names.platform, grant: live.grantId, client: live.grant.terms.clientId, request: request.id });
      if (!mayKnow)
        request.log.debug({ reason: live === null ? reason : 'the token is not for the caller' }, 'introspection says inactive');
      return reply
        .header('cache-control', 'no-store')
        .send(
          mayKnow
            ? { ...introspectionOf(live), ...(serves ? { ...forResource(live), ...(await contextsFor(deps, names, live)) } : {}) }
            : { active: false },
        );
    });
  };
