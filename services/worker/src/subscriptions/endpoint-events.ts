import type { EndpointRecovery } from '@grantlog/domain';
import type { PlatformId, RecordedEvent } from '@grantlog/eventsourcing';
import {
  abandonDeliveries,
  cancelRecoveries,
  type EndpointRoute,
  holdPending,
  insertRecovery,
  releaseHeld,
  resetHealth,
  type Transaction,
} from '@grantlog/postgres';

type EndpointEventContext = {
  readonly platform: PlatformId;
  /** The endpoint as it is from its event on; null where it never was. */
  readonly route: EndpointRoute | null;
  /** Whether it is a stream of security events. */
  readonly isStream: boolean;
  /** Writes what was told of earlier events, where what follows is about it. */
  readonly flush: () => Promise<void>;
};

/** What an endpoint's own event means for what it was told before. Returns whether that has made something due. */
export const takeInEndpointEvent = async (
  client: Transaction,
  event: RecordedEvent,
  { platform, route, isStream, flush }: EndpointEventContext,
): Promise<boolean> => {
  const key = { platform, endpoint: event.streamId };
  /** A stream that is spoken to no more, or again, has yet to hear of that; what waited before is not for it any more. */
  const empty = async (): Promise<void> => {
    if (!isStream) return;
    await flush();
    while ((await abandonDeliveries(client, key)) > 0);
  };
  switch (event.type) {
    case 'webhook_endpoint.enabled':
      await empty();
      await resetHealth(client, key);
      return false;
    case 'webhook_endpoint.updated':
    case 'webhook_endpoint.paused':
      // Another URL is another receiver: what waits for it waits for its proof.
      if (route?.proven !== false) return false;
      await flush();
      await holdPending(client, key);
      return false;
    case 'webhook_endpoint.verified':
    case 'webhook_endpoint.resumed':
      if (route?.proven !== true) return false;
      await flush();
      return releaseHeld(client, key);
    case 'webhook_endpoint.recovery_requested': {
      const { position, recordedAt: requestedAt } = event;
      // Only its own events stand in an endpoint's stream.
      const { recoveryId: id, through, ...recovery } = event.data as EndpointRecovery;
      await insertRecovery(client, { ...key, id, ...recovery, through: Math.min(through ?? position, position), requestedAt });
      return false;
    }
    case 'webhook_endpoint.disabled':
      await empty();
      await cancelRecoveries(client, key);
      return false;
    case 'webhook_endpoint.recovery_cancelled':
    case 'webhook_endpoint.deleted':
      await cancelRecoveries(client, key);
      return false;
    default:
      return false;
  }
};
