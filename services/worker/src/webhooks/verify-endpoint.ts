import { webhookEndpointDecider } from '@grantlog/domain';
import { type EventLog, execute, fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { commitOn } from '@grantlog/provisioning';

const by = { actor: { kind: 'system', id: 'webhooks' }, correlationId: 'webhooks' } as const;

/** Records that the receiver at this URL wants an endpoint's events; nothing where the endpoint has another URL by now. */
export const verifyEndpoint = async (
  log: EventLog,
  { platform, endpoint, url }: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly url: string },
): Promise<void> => {
  await execute({
    log,
    platform,
    requests: [{ streamId: endpoint }],
    decide: (loaded) => {
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      if (state.status !== 'active' || state.url !== url) return { commit: null, outcome: null };
      const { events } = webhookEndpointDecider.decide({ type: 'verify' }, state);
      return { commit: commitOn(loaded, by, { writes: [{ streamId: endpoint, events }] }), outcome: null };
    },
  });
};
