import type { Sealer } from '@grantlog/crypto';
import { platformDecider, platformStream, validSecrets, webhookEndpointDecider } from '@grantlog/domain';
import { type EventLog, fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { openCredential } from '@grantlog/provisioning';

/** An endpoint as it is right now, with everything that a request to it needs. */
export type Receiver = {
  readonly url: string;
  readonly ordered: boolean;
  readonly concurrency: number;
  /** Newest first; two while one is being rotated out. */
  readonly secrets: readonly string[];
  readonly allowLoopback: boolean;
};

const decoder = new TextDecoder();

/**
 * Loads an endpoint from the log itself, so that a new URL, a rotated secret or a disabled endpoint counts from the next
 * request on. Null when it must not be spoken to: unknown, disabled or deleted.
 */
export const openReceiver = async (
  { log, sealer }: { readonly log: EventLog; readonly sealer: Sealer },
  { platform, endpoint }: { readonly platform: PlatformId; readonly endpoint: StreamId },
): Promise<Receiver | null> => {
  const loaded = await log.load(platform, [{ streamId: endpoint, withSecrets: true }, { streamId: platformStream }]);
  const stream = loaded.stream(endpoint);
  const state = fold(webhookEndpointDecider, stream);
  if (state.status !== 'active') return null;
  const owner = fold(platformDecider, loaded.stream(platformStream));
  const secrets = validSecrets(state.secrets, loaded.now / 1000).map((id) =>
    decoder.decode(openCredential(sealer, { platform, owner: endpoint, kind: 'webhook_secret', id, credentials: stream.credentials })),
  );
  return {
    url: state.url,
    ordered: state.ordered,
    concurrency: state.concurrency,
    secrets,
    allowLoopback: owner.status !== 'none' && owner.document.webhooks.allowLoopback,
  };
};
