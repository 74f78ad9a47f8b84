import {
  clientAuthenticationError,
  clientParameters,
  OAuthError,
  readParameters,
  refuseCredentialsInQuery,
  sameResource,
} from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { authenticateBasic, type BasicOutcome } from '../access/authenticate-basic.ts';
import { authenticateClient } from '../access/authenticate-client.ts';
import { identifyClient } from '../access/identify-client.ts';
import { networkOf } from '../access/network.ts';
import type { Deps } from '../deps.ts';
import { formBody } from '../http/form-body.ts';
import { requireSwitch } from '../http/require-switch.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

const parameters = ['username', 'password', 'resource', 'client_address', ...clientParameters] as const;

/** What the resource server reads: snake_case, and absent where there is nothing. */
const answerOf = (
  judged: BasicOutcome,
  about: { readonly issuer: string; readonly resource: string },
): Readonly<Record<string, unknown>> => {
  if (judged.outcome === 'refused') {
    const { reason, description, retryAfter, documentation } = judged;
    return {
      active: false,
      reason,
      description,
      ...(retryAfter === null ? {} : { retry_after: retryAfter }),
      ...(documentation === null ? {} : { documentation }),
    };
  }
  const { documentation, ...notice } = judged.notice;
  return {
    active: true,
    iss: about.issuer,
    sub: judged.account,
    aud: about.resource,
    roles: judged.record.roles,
    account_kind: judged.record.kind,
    notice: { ...notice, ...(documentation === null ? {} : { documentation }) },
  };
};

/**
 * Whether HTTP Basic credentials are good, on platforms that let resources take them for exploration. The caller is a
 * confidential client that serves the resource: whoever asks learns nothing that a request to that resource would not tell.
 */
export const basicValidationEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/oauth/basicvalidation', { config: { authentication: 'client', errors: 'oauth' } }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      await requireSwitch(deps, names, 'basicForExploration');
      refuseCredentialsInQuery(request.query as Record<string, unknown>);
      const sent = readParameters(formBody(request), parameters);
      const credentials = await identifyClient(deps, request, names, sent);
      if (credentials.method === 'none')
        throw clientAuthenticationError({ realm: platform, reason: 'a public client asked about a password' });
      const caller = names.client(credentials.clientId);
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: caller, withSecrets: true }]);
      const client = authenticateClient(deps.sealer, {
        platform,
        credentials,
        state: foldClient(loaded, caller),
        stream: loaded.stream(caller),
        now: loaded.now,
      });
      const platformState = foldPlatform(loaded);
      if (platformState.status === 'none') throw new Error(`the platform ${platform} has names and no document`);
      const { document } = platformState;
      const [asked, ...others] = sent.all('resource');
      if (asked === undefined || others.length > 0)
        throw new OAuthError('invalid_request', { description: 'Exactly one resource is required' });
      const resource = document.resources.find(({ uri }) => sameResource(uri, asked))?.uri;
      if (resource === undefined || !client.serves.some((served) => sameResource(served, resource)))
        throw new OAuthError('invalid_target', { description: 'This client does not serve the resource' });
      // Never the caller's own: all who ask there would count as one, and a stranger's guesses would keep everybody out.
      const address = sent.require('client_address');
      if (networkOf(address) === null) throw new OAuthError('invalid_request', { description: 'client_address must be an IP address' });

      const judged = await authenticateBasic(deps, names, {
        username: sent.require('username'),
        password: sent.get('password') ?? '',
        visitor: { address, userAgent: '' },
        document,
        by: { actor: { kind: 'client', id: caller }, correlationId: request.traceparent },
      });
      if (judged.outcome === 'refused') request.log.info({ reason: judged.reason }, 'HTTP Basic refused');
      return reply
        .header('cache-control', 'no-store')
        .send(answerOf(judged, { issuer: issuerOf(document, deps.config.publicUrl), resource }));
    });
  };
