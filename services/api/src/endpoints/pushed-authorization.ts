import { clientParameters, OAuthError, readParameters, refuseCredentialsInQuery } from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { admitStranger } from '../access/admit-stranger.ts';
import { authenticateClient } from '../access/authenticate-client.ts';
import { identifyClient } from '../access/identify-client.ts';
import { proveKey } from '../access/prove-key.ts';
import type { Deps } from '../deps.ts';
import { formBody } from '../http/form-body.ts';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolveClient } from '../platforms/resolve-client.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { keepPushedRequest, pushedRequestSeconds } from '../pushed-requests/pushed-request.ts';
import { asksForOpenid } from './authorize/asks-for-openid.ts';
import { checkRedirectUri } from './authorize/check-redirect-uri.ts';
import { authorizationParameters, checkRequest } from './authorize/check-request.ts';

/** What is kept of a pushed form: the parameters of an authorization request as they were sent, and nothing that proved the client. */
const parametersOf = (form: Readonly<Record<string, unknown>>, more: Readonly<Record<string, string>>) => ({
  ...Object.fromEntries(
    authorizationParameters.flatMap((name) => {
      // Read and found good by now: texts, and a list where it is resources.
      const value = form[name] as string | readonly string[] | undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  ),
  ...more,
});

/**
 * The pushed authorization request endpoint (RFC 9126 §2): judges an authorization request as the authorization endpoint would,
 * tells its client at once what is wrong with it, and keeps it for the browser to name by its `request_uri`.
 *
 * What is kept is judged anew when it is opened. A key that the request proves is bound to its code (RFC 9449 §10.1).
 */
export const pushedAuthorizationEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const config = { authentication: 'client', errors: 'oauth', openToBrowsers: true, trace: 'push' } as const;
    app.post('/:platform/oauth/par', { config }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      refuseCredentialsInQuery(request.query as Record<string, unknown>);
      const form = formBody(request);
      const sent = readParameters(form, clientParameters);
      const credentials = await identifyClient(deps, request, names, sent, { takesStrangers: true });
      const { clientId } = credentials;
      request.traced.client = clientId;
      const client = names.client(clientId);
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: client, withSecrets: true }]);
      const platformState = foldPlatform(loaded);
      if (platformState.status === 'none' || !platformState.document.grantTypes.includes('authorization_code'))
        throw new PathNotOnPlatform(`${platform} has no authorization endpoint`);
      const { document } = platformState;
      const { now } = loaded;
      const logged = foldClient(loaded, client);
      const { state } = await resolveClient(deps, { names, document, clientId, logged, address: request.ip, now });
      const record = authenticateClient(deps.sealer, { platform, credentials, state, stream: loaded.stream(client), now });
      if (platformState.status === 'suspended')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      // Whoever registers itself has a secret for the asking, so what it proves bounds nothing.
      if (credentials.method === 'none' || record.how === 'dynamic') await admitStranger(deps, request, platform);

      const issuer = issuerOf(document, deps.config.publicUrl);
      const parameters = readParameters({ ...form, client_id: clientId }, authorizationParameters);
      // RFC 9126 §2.1: what is pushed stands for itself.
      if (parameters.get('request_uri') !== undefined)
        throw new OAuthError('invalid_request', { description: 'request_uri cannot be pushed: push what it stands for' });
      checkRedirectUri({ document, client: record }, parameters.get('redirect_uri'), asksForOpenid(document, form));
      checkRequest({ document, client: record, issuer, isPushed: true }, parameters);
      const proofKey = await proveKey(deps, request, platform);
      const named = readParameters(form, ['dpop_jkt']).get('dpop_jkt');
      if (proofKey !== null && named !== undefined && named !== proofKey)
        throw new OAuthError('invalid_dpop_proof', { description: 'dpop_jkt is not the key that the DPoP proof was made with' });

      const more = { client_id: clientId, ...(proofKey === null ? {} : { dpop_jkt: proofKey }) };
      const requestUri = await keepPushedRequest(deps, { platform, client, parameters: parametersOf(form, more), now });
      return reply.code(201).header('cache-control', 'no-store').send({ request_uri: requestUri, expires_in: pushedRequestSeconds });
    });
  };
