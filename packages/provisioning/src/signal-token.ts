import { type SigningKey, signJwt } from '@grantlog/crypto';
import { signalClaims } from '@grantlog/domain';
import type { JsonObject, StreamId } from '@grantlog/eventsourcing';

/** What a stream's SETs are made with. */
export type SignalStream = {
  readonly stream: StreamId;
  readonly issuer: string;
  readonly audience: string;
  /** URIs that its receiver asked for; null for all. */
  readonly requested: readonly string[] | null;
  /** RS256, as the interoperability profile of CAEP wants it. */
  readonly key: SigningKey;
};

/**
 * A message as a SET for one receiver, signed; null where the receiver has not asked for it. The same message is the same SET
 * at every attempt, for as long as the key is the same: its `jti` is the message's id, its `iat` the time of its event.
 *
 * @see RFC 8417, OpenID Shared Signals Framework 1.0 §4.1
 */
export const signalToken = async (
  { stream, issuer, audience, requested, key }: SignalStream,
  message: { readonly id: string; readonly body: string },
): Promise<string | null> => {
  // Rendered by `renderBody`.
  const told = JSON.parse(message.body) as { readonly type: string; readonly timestamp: string; readonly data: JsonObject };
  const claims = signalClaims(told, { issuer, stream, requested });
  if (claims === null) return null;
  const iat = Math.floor(Date.parse(told.timestamp) / 1_000);
  return signJwt({ key, typ: 'secevent+jwt', claims: { iss: issuer, aud: audience, jti: message.id, iat, ...claims } });
};
