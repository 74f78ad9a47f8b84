import type { GrantId } from '@grantlog/domain';
import type { OAuthErrorCode } from '@grantlog/protocol';
import {
  clientAuthenticationError,
  clientParameters,
  OAuthError,
  readParameters,
  refuseCredentialsInQuery,
  tokenResponseHeaders,
} from '@grantlog/protocol';
import type { FastifyInstance } from 'fastify';
import { authenticateClient } from '../access/authenticate-client.ts';
import { identifyClient } from '../access/identify-client.ts';
import { resolveAccess } from '../access/resolve-access.ts';
import { type ContextRefusal, selectContext } from '../contexts/select-context.ts';
import type { Deps } from '../deps.ts';
import { formBody } from '../http/form-body.ts';
import { PathNotOnPlatform } from '../http/require-switch.ts';
import { foldClient, foldPlatform } from '../platforms/load-parties.ts';
import { servesResource } from '../platforms/own-resources.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';

const parameters = ['token', 'context', ...clientParameters] as const;

type Wire = { readonly code: OAuthErrorCode; readonly description: string };

// 400, because 401 would say that the caller has not proved itself.
const reconnect: Wire = { code: 'invalid_token', description: 'The grant could not be changed. Please reconnect' };

const wire = {
  unknown_context: { code: 'unknown_context', description: 'The account has nothing of this id, or has it no more' },
  context_pinned: {
    code: 'context_pinned',
    description: 'The app asked for the very one that the grant is for; it has to ask anew for another',
  },
  unknown_grant: reconnect,
  grant_over: reconnect,
  not_redeemed: reconnect,
} as const satisfies Record<ContextRefusal, Wire>;

const refusal = ({ code, description }: Wire, reason: string): OAuthError =>
  new OAuthError(code, { description, reason, ...(code === 'invalid_token' ? { status: 400 } : {}) });

/**
 * Where the resource server of a token changes what its grant is for, as its bearer has chosen there: the token stays as
 * it is, and says the new one at its next introspection. Not a standard: the metadata name it `grant_context_endpoint`.
 *
 * A token that is not live, or not for a resource that the caller serves, reads like one that never was.
 */
export const contextEndpoint =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    app.post('/:platform/oauth/context', { config: { authentication: 'client', errors: 'oauth' } }, async (request, reply) => {
      const names = await resolvePlatform(deps, request);
      const { platform } = names;
      refuseCredentialsInQuery(request.query as Record<string, unknown>);
      const sent = readParameters(formBody(request), parameters);
      const credentials = await identifyClient(deps, request, names, sent);
      if (credentials.method === 'none')
        throw clientAuthenticationError({ realm: platform, reason: 'a public client asked to select a context' });
      const caller = names.client(credentials.clientId);
      const { live, loaded, reason } = await resolveAccess(deps, names, sent.get('token') ?? '', {
        also: [{ streamId: caller, withSecrets: true }],
      });
      const client = authenticateClient(deps.sealer, {
        platform,
        credentials,
        state: foldClient(loaded, caller),
        stream: loaded.stream(caller),
        now: loaded.now,
      });
      const owner = foldPlatform(loaded);
      if (owner.status === 'none' || owner.document.contexts === null) throw new PathNotOnPlatform(`${platform} has no contexts`);
      sent.require('token');
      const context = sent.require('context');
      const isMeant = live?.kind === 'access' && live.token.resource !== null && servesResource(live, client, live.token.resource);
      if (!isMeant) throw refusal(reconnect, live === null ? reason : 'the token is not for the caller');
      const { account } = live.grant.terms;
      if (account === null) throw refusal(wire.unknown_context, 'a client that acts for nobody has no contexts');
      const selected = await selectContext(
        deps,
        { actor: { kind: 'client', id: caller }, correlationId: request.traceparent },
        { platform, grant: live.grantId as GrantId, account, context },
      );
      if (selected.outcome === 'refused') throw refusal(wire[selected.refusal], selected.refusal);
      return reply.headers(tokenResponseHeaders).send({ context: selected.context, previous_context: selected.previous });
    });
  };
