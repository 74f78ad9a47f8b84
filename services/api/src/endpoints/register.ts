import { OAuthError, readClientMetadata, tokenResponseHeaders } from '@grantlog/protocol';
import { changeClient, registerClient } from '@grantlog/provisioning';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isSecretOf } from '../access/authenticate-client.ts';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolvePlatform } from '../platforms/resolve-platform.ts';
import { changedSettings } from '../registration/changed-settings.ts';
import { checkSameAuthentication, checkUpdateBody } from '../registration/check-update.ts';
import { clientInformation } from '../registration/client-information.ts';
import { ownSettings } from '../registration/own-settings.ts';
import { unlessRefused } from '../registration/refusals.ts';
import { openRegisteredClient, type RegisteredClient } from '../registration/registered-client.ts';
import { registrationTokenOf } from '../registration/registration-token.ts';
import { admitRegistration } from '../registration/throttle.ts';

/** A form would be read as an object, too; what it holds is never what the client meant. */
const jsonBody = (request: FastifyRequest): unknown => {
  if (/^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) return request.body;
  throw new OAuthError('invalid_client_metadata', {
    description: 'Send the metadata of the client as JSON, with Content-Type: application/json',
  });
};

const closed = (): OAuthError =>
  new OAuthError('access_denied', {
    description: 'No client registers itself on this platform. Ask its operator for a client_id',
    reason: 'registration is closed',
  });

const informationOf = (registered: RegisteredClient, secret: Parameters<typeof clientInformation>[1]['secret'] = null) =>
  clientInformation(registered.client, {
    issuer: registered.issuer,
    token: registrationTokenOf(registered, registered.document),
    secret,
    scopes: registered.client.scopes ?? [],
  });

/** Bytes of a registration: several times what clients in the field send, since each is written for good. */
const bodyLimit = 16_384;

/**
 * Dynamic client registration (RFC 7591 §3), open to everybody where the platform's policy says so, and its management by
 * the client itself (RFC 7592 §2), for as long as the client lives.
 */
export const registrationEndpoints =
  (deps: Deps) =>
  (app: FastifyInstance): void => {
    const { provisioning } = deps;
    const path = '/:platform/oauth/register';
    const open = { config: { authentication: 'none', errors: 'oauth', openToBrowsers: true, trace: 'registration' } } as const;
    app.post(path, { ...open, bodyLimit }, async (request, reply) => {
      const { platform, client: streamOf } = await resolvePlatform(deps, request);
      const before = await deps.log.load(platform, platformStreams);
      const state = foldPlatform(before);
      if (state.status !== 'active')
        throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
      const { document } = state;
      if (!document.registration.policy.includes('open')) throw closed();
      const issuer = issuerOf(document, deps.config.publicUrl);
      const settings = ownSettings(readClientMetadata(jsonBody(request)), { document, issuer });
      await admitRegistration(deps, { platform, address: request.ip, now: before.now });
      const { name, redirectUris, grantTypes, scopes, idTokenAlg, serves, roles, kind, authMethods, ...extras } = settings;
      const by = { actor: { kind: 'system', id: 'registration' }, correlationId: request.traceparent } as const;
      const { clientId, secret } = unlessRefused(
        await registerClient(provisioning, by, {
          ...{ platform, clientId: null, how: 'dynamic', approval: 'approved', secret: null },
          ...{ name, redirectUris, grantTypes, scopes, idTokenAlg, serves, roles, kind, authMethods, extras },
        }),
      );
      request.traced.client = clientId;
      // What is answered is what was recorded, its time included.
      const stream = streamOf(clientId);
      const loaded = await deps.log.load(platform, [...platformStreams, { streamId: stream }]);
      const client = foldClient(loaded, stream);
      if (client.status !== 'active') throw new Error('a client that was just registered is active');
      const keys = await deps.keys.of(platform, foldKeyRing(loaded));
      const made = { platform, stream, client, loaded: loaded.stream(stream), document, issuer, keys, now: loaded.now };
      return reply.code(201).headers(tokenResponseHeaders).send(informationOf(made, secret));
    });

    const opened = async (request: FastifyRequest): Promise<RegisteredClient> => {
      const { clientId = '' } = request.params as { readonly clientId?: string };
      const { authorization } = request.headers;
      return openRegisteredClient(deps, await resolvePlatform(deps, request), { clientId, authorization });
    };
    const managed = { config: { authentication: 'bearer', errors: 'oauth', openToBrowsers: true } } as const;
    const byItself = ({ stream: id }: RegisteredClient, request: FastifyRequest) =>
      ({ actor: { kind: 'client', id }, correlationId: request.traceparent }) as const;

    app.get(`${path}/:clientId`, managed, async (request, reply) =>
      reply.headers(tokenResponseHeaders).send(informationOf(await opened(request))),
    );

    app.put(`${path}/:clientId`, { ...managed, bodyLimit }, async (request, reply) => {
      const proved = await opened(request);
      const { platform, client, document, issuer, now } = proved;
      const body = jsonBody(request);
      const metadata = readClientMetadata(body);
      checkUpdateBody(body, {
        client,
        clientId: metadata.clientId,
        isSecret: (secret) => isSecretOf(deps.sealer, client, { secret, platform, stream: proved.loaded, now }),
      });
      const settings = ownSettings(metadata, { document, issuer });
      checkSameAuthentication(client, settings);
      await admitRegistration(deps, { platform, address: request.ip, now });
      const command = { type: 'update', changes: changedSettings(client, settings) } as const;
      unlessRefused(await changeClient(provisioning, byItself(proved, request), { platform, clientId: client.clientId, command }));
      return reply.headers(tokenResponseHeaders).send(informationOf(await opened(request)));
    });

    app.delete(`${path}/:clientId`, managed, async (request, reply) => {
      const proved = await opened(request);
      const { platform, client } = proved;
      const command = { type: 'delete', reason: 'by_itself' } as const;
      unlessRefused(await changeClient(provisioning, byItself(proved, request), { platform, clientId: client.clientId, command }));
      return reply.code(204).headers(tokenResponseHeaders).send();
    });
  };
