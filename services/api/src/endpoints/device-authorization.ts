import { deviceCodeGrant } from '@grantlog/domain';
import {
  clientParameters,
  OAuthError,
  readCodeChallenge,
  readParameters,
  refuseCredentialsInQuery,
  tokenResponseHeaders,
} from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { authenticateClient } from '../access/authenticate-client.ts';
import { identifyClient } from '../access/identify-client.ts';
import { beginningProgram, visitorOf } from '../access/visitor.ts';
import type { Deps } from '../deps.ts';
import { formBody } from '../http/form-body.ts';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { startSession } from '../sessions/start-session.ts';
import { admitSignUp } from '../sessions/throttles.ts';

export const deviceAuthorizationParameters = [...clientParameters, 'scope', 'resource', 'code_challenge', 'code_challenge_method'] as const;

/**
 * The device authorization endpoint (RFC 8628 §3.1): begins a session of which the device code is the agent's and the user
 * code, or the link, the person's. It exists on platforms that have the grant type.
 */
export const deviceAuthorizationEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'client', errors: 'oauth', openToBrowsers: true } as const;
    app.post('/:platform/oauth/device_authorization', { config }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      refuseCredentialsInQuery(request.query as Record<string, unknown>);
      const sent = readParameters(formBody(request), deviceAuthorizationParameters);
      const credentials = await identifyClient(deps, request, names, sent);
      const clientStream = names.client(credentials.clientId);
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: clientStream, withSecrets: true }]);
      const platformState = foldPlatform(loaded);
      if (platformState.status === 'none' || !platformState.document.grantTypes.includes(deviceCodeGrant))
        throw new PathNotOnPlatform(`${platform} has no device grant`);
      authenticateClient(deps.sealer, {
        platform,
        credentials,
        state: foldClient(loaded, clientStream),
        stream: loaded.stream(clientStream),
        now: loaded.now,
      });
      const codeChallenge = readCodeChallenge({
        challenge: sent.get('code_challenge'),
        method: sent.get('code_challenge_method'),
        required: platformState.document.agentSignUp?.codeChallengeRequired ?? false,
      });
      const from = visitorOf(request);
      // A client with a secret answers for what it begins; anybody can be one without.
      if (credentials.method === 'none') {
        const admission = await admitSignUp(deps, { platform, address: from.address, webhookHost: null });
        if (admission.outcome === 'refused')
          throw new OAuthError('slow_down', {
            status: 429,
            description: 'Too many sign-ups were begun from this address; wait as long as Retry-After says',
            headers: { 'retry-after': String(admission.retryAfter) },
          });
      }
      const isUnidentified = credentials.clientId === platformState.document.agentSignUp?.unidentifiedClient;
      const started = await startSession(deps, names, {
        via: 'device_authorization',
        clientId: credentials.clientId,
        scope: sent.get('scope'),
        resources: sent.all('resource'),
        codeChallenge: codeChallenge ?? null,
        from: { ...from, userAgent: beginningProgram(request, from.userAgent) },
        withUserCode: true,
        correlationId: request.traceparent,
      });
      return reply.headers(tokenResponseHeaders).send({
        device_code: started.sessionId,
        user_code: started.userCode,
        verification_uri: `${started.issuer}/device`,
        // The link asks for one click. Who names no client gets one from init_signup, whose page asks for the number: a
        // stranger with links to send does not choose the page without it.
        ...(isUnidentified ? {} : { verification_uri_complete: `${started.issuer}/connect/${started.link}` }),
        expires_in: started.expiresIn,
        interval: started.interval,
      });
    });
  };
