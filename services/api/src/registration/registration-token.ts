import type { PlainToken } from '@grantlog/crypto';
import { mintToken, parseToken, verifyToken } from '@grantlog/crypto';
import type { ClientRecord, ClientStreamId, PlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { PlatformKeys } from '../tokens/key-store.ts';

/** A client as its registration access token is computed from it; nothing of the token is kept. */
export type RegistrationTokenSource = {
  readonly platform: PlatformId;
  readonly stream: ClientStreamId;
  readonly client: Pick<ClientRecord, 'tokenNonce'>;
  readonly keys: PlatformKeys;
};

/** The layout has an expiry; this token ends with its client alone. */
const never = 2 ** 40 - 1;

const nonceOf = ({ tokenNonce }: Pick<ClientRecord, 'tokenNonce'>): Uint8Array | null =>
  tokenNonce === null ? null : Uint8Array.fromBase64(tokenNonce, { alphabet: 'base64url' });

/**
 * The token with which a client reads, changes and ends its registration: the same bytes for as long as the platform mints
 * with the same key, and after that a new one beside the old (RFC 7592 §3).
 */
export const registrationTokenOf = (source: RegistrationTokenSource, document: PlatformDocument): PlainToken => {
  const keyId = source.keys.mintingTokenKeyId;
  const key = source.keys.tokenKey(keyId);
  const nonce = nonceOf(source.client);
  if (key === null || nonce === null) throw new Error('a client that registered itself has a nonce, and the minting key is on the ring');
  return mintToken({
    prefix: document.tokens.prefix,
    kind: 'registration_access',
    platform: source.platform,
    key,
    nonce,
    payload: { streamId: source.stream, sequence: 0, expiresAt: never, keyId, scopes: [], resource: null },
  });
};

/** Whether this is a registration access token that this platform made for this very client. */
export const provesRegistration = (text: string, source: RegistrationTokenSource): boolean => {
  const token = parseToken(text);
  const nonce = nonceOf(source.client);
  if (token?.kind !== 'registration_access' || token.payload.streamId !== source.stream || nonce === null) return false;
  const key = source.keys.tokenKey(token.payload.keyId);
  return key !== null && verifyToken({ token, platform: source.platform, key, nonce });
};
