import { OAuthError, readParameters } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.ts';
import { requireOwnForm } from '../http/browser.ts';
import { formBody } from '../http/form-body.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { openDecision } from './authorization-request.ts';
import { decideRequest, stale } from './decide-request.ts';
import { readSignInCookie } from './signed-in.ts';

/** Where the consent form is sent: one decision of the person it was shown to, answered by a redirect to the app. */
export const consentForm =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/consent', { config: { authentication: 'browser', errors: 'page', trace: 'consent' } }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      const sent = readParameters(formBody(request), ['csrf', 'request', 'decision', 'context']);
      const loaded = await deps.log.load(platform, platformStreams);
      const platformState = foldPlatform(loaded);
      if (platformState.status !== 'active')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const origin = new URL(issuerOf(platformState.document, deps.config.publicUrl)).origin;
      const browserId = requireOwnForm(deps, request, { platform, origin, csrf: sent.get('csrf') });
      const pending = openDecision(deps, platform, { sealed: sent.get('request'), browserId, now: loaded.now });
      const { signIn } = pending ?? { signIn: null };
      // The page was shown to one account; whoever is signed in by now is the one who must have clicked.
      if (pending === null || signIn === null || readSignInCookie(deps, request, platform) !== signIn.id) {
        throw stale('This page is too old, or somebody else has signed in meanwhile. Go back to the app and begin again');
      }
      const { clientId, attempt, grantId } = pending.request;
      Object.assign(request.traced, { client: clientId, attempt, grant: grantId });
      const decision = sent.require('decision');
      if (decision !== 'allow' && decision !== 'deny') throw stale('decision must be allow or deny');
      const { location } = await decideRequest(deps, names, {
        pending,
        signIn,
        allow: decision === 'allow',
        context: sent.get('context') ?? null,
        address: request.ip,
        correlationId: request.traceparent,
      });
      if (decision === 'deny') request.traced.refusal = { error: 'access_denied', detail: 'The person has denied the request' };
      // 303, so that the form is not sent on to the client (RFC 9700 §4.12).
      return reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(location, 303);
    });
  };
