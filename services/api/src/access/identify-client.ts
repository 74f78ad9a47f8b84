import type { ClientState, ClientStreamId, PlatformDocument } from '@grantlog/domain';
import { nameDecider } from '@grantlog/domain';
import { execute, fold } from '@grantlog/eventsourcing';
import type { clientParameters, RequestParameters } from '@grantlog/protocol';
import { clientAuthenticationError, OAuthError, readClientCredentials } from '@grantlog/protocol';
import { commitOn, type PlatformNames } from '@grantlog/provisioning';
import type { FastifyRequest } from 'fastify';
import type { Deps } from '../deps.ts';
import { admitFetch } from '../metadata-documents/admit-fetch.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import { resolveClient } from '../platforms/resolve-client.ts';
import { admitStranger } from './admit-stranger.ts';
import { type VerifiedAssertion, verifyAssertion } from './client-assertion.ts';
import { assertionKeysOf, type ClientProof } from './client-proof.ts';

/** Uses an assertion up, wherever it is shown: of any number of uses the log takes one. @throws OAuthError `invalid_client` */
const useUp = async (
  deps: Pick<Deps, 'log'>,
  names: PlatformNames,
  client: ClientStreamId,
  { jti, expiresAtMs, correlationId }: VerifiedAssertion & { readonly correlationId: string },
): Promise<void> => {
  const { platform } = names;
  const name = names.jti(`client ${client}`, jti, expiresAtMs);
  const { outcome } = await execute<'used' | 'used_before'>({
    log: deps.log,
    platform,
    requests: [{ streamId: name }],
    decide: (loaded) => {
      const { events, refusal } = nameDecider.decide({ type: 'claim', kind: 'jti', owner: client }, fold(nameDecider, loaded.stream(name)));
      if (refusal !== undefined) return { commit: null, outcome: 'used_before' };
      const by = { actor: { kind: 'client', id: client }, correlationId } as const;
      return { commit: commitOn(loaded, by, { writes: [{ streamId: name, events }] }), outcome: 'used' };
    },
  });
  if (outcome === 'used_before') {
    throw clientAuthenticationError({
      realm: platform,
      reason: 'client assertion: the jti was used before',
      description: 'client_assertion was used before: make a new one for each request',
    });
  }
};

/**
 * The client whose keys an assertion is to be verified with. One that is described by a document has the keys that it says now,
 * and while its site does not answer those that the log knows.
 */
const clientOf = async (
  deps: Deps,
  request: FastifyRequest,
  of: {
    readonly names: PlatformNames;
    readonly document: PlatformDocument;
    readonly clientId: string;
    readonly logged: ClientState;
    readonly now: number;
    readonly takesStrangers: boolean;
  },
): Promise<ClientState> => {
  const { logged, takesStrangers } = of;
  if (logged.status === 'none' && !takesStrangers) return logged;
  // Whoever has a site has a key, so what such a client proves bounds nothing that it makes us write.
  if (logged.status === 'none') await admitStranger(deps, request, of.names.platform);
  try {
    return (await resolveClient(deps, { ...of, address: request.ip })).state;
  } catch (error) {
    if (error instanceof OAuthError && logged.status !== 'none') return logged;
    throw error;
  }
};

/** Whether somebody has let a client in, so that its keys are fetched whoever asks: an operator, a developer, or a person who uses it. */
const isLetIn = (client: Exclude<ClientState, { status: 'none' | 'deleted' }>, logged: ClientState): boolean =>
  logged.status !== 'none' && (client.how !== 'dynamic' || client.used);

/**
 * How the client of a request names and shows itself. An assertion is proved and used up here, in a commit of its own, before
 * anything is decided: what it was shown for may fail, and it is good for nothing else afterwards.
 *
 * @param sent the form, read with {@link clientParameters} among its names.
 * @param options.takesStrangers whether a client is let in that only its metadata document describes, and nobody has used yet.
 * @throws OAuthError `invalid_client`, `invalid_request`
 */
export const identifyClient = async (
  deps: Deps,
  request: FastifyRequest,
  names: PlatformNames,
  sent: RequestParameters<(typeof clientParameters)[number]>,
  options: { readonly takesStrangers: boolean } = { takesStrangers: false },
): Promise<ClientProof> => {
  const { platform } = names;
  const credentials = readClientCredentials({
    authorization: request.headers.authorization,
    parameters: {
      clientId: sent.get('client_id'),
      clientSecret: sent.get('client_secret'),
      clientAssertion: sent.get('client_assertion'),
      clientAssertionType: sent.get('client_assertion_type'),
    },
    realm: platform,
  });
  if (credentials.method !== 'private_key_jwt') return credentials;

  const { clientId, assertion } = credentials;
  const stream = names.client(clientId);
  const loaded = await deps.log.load(platform, [...platformStreams, { streamId: stream }]);
  const platformState = foldPlatform(loaded);
  if (platformState.status === 'none') throw new OAuthError('server_error', { description: 'The platform is not configured' });
  const { document } = platformState;
  const logged = foldClient(loaded, stream);
  const client = await clientOf(deps, request, { ...options, names, document, clientId, logged, now: loaded.now });
  const fail = (reason: string): OAuthError => clientAuthenticationError({ realm: platform, reason });
  if (client.status === 'none' || client.status === 'deleted')
    throw fail(`the client is ${client.status === 'none' ? 'unknown' : 'deleted'}`);
  if (!client.authMethods.includes('private_key_jwt')) throw fail('the client does not use private_key_jwt');
  const issuer = issuerOf(document, deps.config.publicUrl);
  const asked = `${issuer}${(request.routeOptions.url ?? '').replace('/:platform', '')}`;
  const host = client.jwksUri === null || isLetIn(client, logged) ? null : new URL(client.jwksUri).hostname;
  const stranger = host === null ? null : { platform, address: request.ip, host, isKnown: false, now: loaded.now };
  const verified = await verifyAssertion(deps, client, assertion, {
    realm: platform,
    issuer,
    audiences: [issuer, `${issuer}/oauth/token`, asked],
    now: loaded.now,
    ...(stranger === null ? {} : { admit: () => admitFetch(deps, stranger) }),
  });
  await useUp(deps, names, stream, { ...verified, correlationId: request.traceparent });
  return { method: 'private_key_jwt', clientId, provedWith: client.how === 'metadata_document' ? null : assertionKeysOf(client) };
};
