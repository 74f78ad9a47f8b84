import type { Sealer } from '@grantlog/crypto';
import { randomUuid } from '@grantlog/crypto';
import type { PlatformId, SealedCredential, StreamId } from '@grantlog/eventsourcing';
import type { NewCredential } from '@grantlog/postgres';

/** Kinds of secret that a stream may own; part of what their ciphertext is bound to. */
export type CredentialKind =
  | 'name_key'
  | 'log_key'
  | 'token_key'
  | 'signing_key'
  | 'password_hash'
  | 'client_secret_digest'
  | 'webhook_secret'
  | 'webhook_bearer'
  | 'webhook_headers'
  | 'totp_seed'
  | 'recovery_codes';

type Place = { readonly platform: PlatformId; readonly owner: StreamId };

const associated = ({ platform, owner }: Place, id: string, kind: string): string => `credential ${platform} ${owner} ${id} ${kind}`;

/** Seals a new secret of a stream, bound to its place; store it before the append that names its id. */
export const sealCredential = (
  sealer: Sealer,
  secret: Place & { readonly kind: CredentialKind; readonly bytes: Uint8Array },
): NewCredential => {
  const { platform, owner, kind, bytes } = secret;
  const id = randomUuid();
  return { platform, owner, id, kind, sealed: sealer.seal(bytes, associated({ platform, owner }, id, kind)) };
};

/**
 * Opens one of a stream's loaded credentials.
 *
 * @throws SealBroken when it was sealed for another place or under a secret this process does not have.
 * @throws Error when the stream has no credential of that id and kind.
 */
export const openCredential = (
  sealer: Sealer,
  place: Place & { readonly kind: CredentialKind; readonly id: string; readonly credentials: readonly SealedCredential[] },
): Uint8Array => {
  const found = place.credentials.find((credential) => credential.id === place.id && credential.kind === place.kind);
  if (found === undefined) throw new Error(`the ${place.kind} ${place.id} of stream ${place.owner} is not there`);
  return sealer.open(found.sealed, associated(place, place.id, place.kind));
};
