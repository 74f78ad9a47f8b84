import type { ClientRecord, ClientStreamId, PlatformDocument } from '@grantlog/domain';
import type { LoadedStream, PlatformId } from '@grantlog/eventsourcing';
import { bearerChallenge, bearerError, OAuthError, readBearerToken } from '@grantlog/protocol';
import type { PlatformNames } from '@grantlog/provisioning';
import type { Deps } from '../deps.ts';
import { issuerOf } from '../platforms/issuer.ts';
import { foldClient, foldKeyRing, foldPlatform, platformStreams } from '../platforms/load-parties.ts';
import type { PlatformKeys } from '../tokens/key-store.ts';
import { provesRegistration } from './registration-token.ts';

/** A client that registered itself and has just proved that it is the one, as the log has it. */
export type RegisteredClient = {
  readonly platform: PlatformId;
  readonly stream: ClientStreamId;
  readonly client: ClientRecord;
  /** With its secrets. */
  readonly loaded: LoadedStream;
  readonly document: PlatformDocument;
  readonly issuer: string;
  readonly keys: PlatformKeys;
  readonly now: number;
};

/**
 * The client of a registration access token.
 *
 * A client that is not there, has ended, or never registered itself reads like a wrong token: 401, which tells a client that
 * its registration is gone (RFC 7592 §2).
 *
 * @throws OAuthError 401 with a Bearer challenge, 403 for a client that an operator has disabled, 503 on a platform that is suspended.
 */
export const openRegisteredClient = async (
  deps: Pick<Deps, 'config' | 'log' | 'keys'>,
  names: PlatformNames,
  shown: { readonly clientId: string; readonly authorization: string | undefined },
): Promise<RegisteredClient> => {
  const { platform } = names;
  const credentials = readBearerToken(shown.authorization);
  if (credentials.kind === 'absent')
    throw new OAuthError('invalid_request', {
      status: 401,
      description: 'The registration_access_token is required in the Authorization header, as a Bearer token',
      headers: { 'www-authenticate': bearerChallenge({ realm: platform }) },
    });
  const refuse = (reason: string): OAuthError =>
    bearerError({
      code: 'invalid_token',
      description: 'The registration_access_token is not one of this client, or the client is not registered any more',
      reason,
      realm: platform,
    });
  if (credentials.kind === 'malformed') throw refuse('the Authorization header is malformed');
  const stream = names.client(shown.clientId);
  const loaded = await deps.log.load(platform, [...platformStreams, { streamId: stream, withSecrets: true }]);
  const platformState = foldPlatform(loaded);
  const state = foldClient(loaded, stream);
  if (platformState.status === 'none') throw refuse('no such platform');
  if (state.status === 'none' || state.status === 'deleted')
    throw refuse(state.status === 'none' ? 'no such client' : 'the client has ended');
  const keys = await deps.keys.of(platform, foldKeyRing(loaded));
  if (state.how !== 'dynamic') throw refuse('the client did not register itself');
  if (!provesRegistration(credentials.token, { platform, stream, client: state, keys })) throw refuse('the token is not of this client');
  if (state.status === 'disabled')
    throw new OAuthError('access_denied', {
      description: 'The operator of this platform has disabled the client: its registration stays as it is',
    });
  if (platformState.status === 'suspended')
    throw new OAuthError('temporarily_unavailable', { description: 'This platform is suspended by its operator' });
  const { document } = platformState;
  const issuer = issuerOf(document, deps.config.publicUrl);
  return { platform, stream, client: state, loaded: loaded.stream(stream), document, issuer, keys, now: loaded.now };
};
