import type { Sealer } from '@grantlog/crypto';
import { matchesDigest } from '@grantlog/crypto';
import type { ClientRecord, ClientState } from '@grantlog/domain';
import { validSecrets } from '@grantlog/domain';
import type { LoadedStream, PlatformId } from '@grantlog/eventsourcing';
import { clientAuthenticationError, OAuthError } from '@grantlog/protocol';
import { openCredential } from '@grantlog/provisioning';
import { type ClientProof, hasKeysStill } from './client-proof.ts';

/** Whether a text is a secret of the client that is good at this time. */
export const isSecretOf = (
  sealer: Sealer,
  client: ClientRecord,
  shown: { readonly secret: string; readonly platform: PlatformId; readonly stream: LoadedStream; readonly now: number },
): boolean => {
  // Every valid digest is compared, so that the time does not tell which of two secrets was shown.
  const matches = validSecrets(client.secrets, shown.now / 1000).map((id) =>
    matchesDigest(
      shown.secret,
      openCredential(sealer, {
        platform: shown.platform,
        owner: shown.stream.streamId,
        kind: 'client_secret_digest',
        id,
        credentials: shown.stream.credentials,
      }),
    ),
  );
  return matches.includes(true);
};

/** Why what a client showed does not prove it, or null where it does. */
const failureOf = (credentials: ClientProof, client: ClientRecord, isSecret: (shown: string) => boolean): string | null => {
  switch (credentials.method) {
    case 'none':
      return null;
    case 'private_key_jwt':
      return hasKeysStill(client, credentials.provedWith) ? null : 'the keys of the client have changed since its assertion was proved';
    case 'client_secret_basic':
    case 'client_secret_post':
      return isSecret(credentials.secret) ? null : 'wrong secret';
  }
};

/**
 * Proves a client from its loaded stream. Unknown, deleted and disabled clients and wrong secrets read the same.
 *
 * @throws OAuthError `invalid_client`, or `unauthorized_client` for a proved client that is not approved, in words that say whether it waits or was refused.
 */
export const authenticateClient = (
  sealer: Sealer,
  attempt: {
    readonly platform: PlatformId;
    readonly credentials: ClientProof;
    readonly state: ClientState;
    /** Loaded with its secrets. */
    readonly stream: LoadedStream;
    readonly now: number;
  },
): ClientRecord => {
  const { credentials, state, platform, stream, now } = attempt;
  const fail = (reason: string): OAuthError => clientAuthenticationError({ realm: platform, reason });
  if (state.status === 'none' || state.status === 'deleted') throw fail(`the client is ${state.status === 'none' ? 'unknown' : 'deleted'}`);
  if (!state.authMethods.includes(credentials.method)) throw fail(`the client does not use ${credentials.method}`);
  const failure = failureOf(credentials, state, (secret) => isSecretOf(sealer, state, { secret, platform, stream, now }));
  if (failure !== null) throw fail(failure);
  if (state.status === 'disabled') throw fail('the client is disabled');
  if (state.approval !== 'approved') {
    throw new OAuthError('unauthorized_client', {
      description:
        state.approval === 'pending'
          ? 'This client is waiting for the approval of an operator of the platform and cannot be used until then'
          : 'An operator of the platform has refused this client; its developer may change it, and it is looked at again',
    });
  }
  return state;
};
