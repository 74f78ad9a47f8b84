import type { SigningKey } from '@grantlog/crypto';
import { clientDecider, platformDecider, platformStream } from '@grantlog/domain';
import { fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { type KeyReading, openSigningKey } from '../keys/signing-key.ts';

/** An app that is told of ends, as it is right now, with everything that telling it needs. */
export type RelyingParty = {
  readonly clientId: string;
  readonly uri: string;
  readonly issuer: string;
  /** The key that its ID tokens are signed with; null where the platform has none of that algorithm. */
  readonly key: SigningKey | null;
  readonly allowLoopback: boolean;
};

/**
 * Loads an app from the log itself, so that another URI or a rotated key counts from the next request on. Null when it must not
 * be spoken to: disabled, deleted, or it does not want to be told any more.
 */
export const openRelyingParty = async (
  reading: KeyReading & { readonly publicUrl: string },
  { platform, client }: { readonly platform: PlatformId; readonly client: StreamId },
): Promise<RelyingParty | null> => {
  const loaded = await reading.log.load(platform, [{ streamId: client }, { streamId: platformStream }]);
  const [app, owner] = [fold(clientDecider, loaded.stream(client)), fold(platformDecider, loaded.stream(platformStream))];
  if (app.status !== 'active' || app.backchannelLogout === null || owner.status === 'none') return null;
  const { document } = owner;
  // OIDC Back-Channel Logout §2.4: with the keys and the algorithm of ID tokens.
  const alg = app.idTokenAlg ?? document.idTokenAlg;
  const key = await openSigningKey(reading, { platform, alg });
  return {
    clientId: app.clientId,
    uri: app.backchannelLogout.uri,
    issuer: document.issuer ?? `${reading.publicUrl}/${document.name}`,
    key,
    allowLoopback: document.webhooks.allowLoopback,
  };
};
