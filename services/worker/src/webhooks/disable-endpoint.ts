import { webhookEndpointDecider } from '@grantlog/domain';
import { type EventLog, execute, fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { commitOn } from '@grantlog/provisioning';

const by = { actor: { kind: 'system', id: 'webhooks' }, correlationId: 'webhooks' } as const;

/** Records that an endpoint is spoken to no more; says whether this call did. */
export const disableEndpoint = async (
  log: EventLog,
  { platform, endpoint, reason }: { readonly platform: PlatformId; readonly endpoint: StreamId; readonly reason: 'gone' | 'failing' },
): Promise<boolean> => {
  const { appended } = await execute({
    log,
    platform,
    requests: [{ streamId: endpoint }],
    decide: (loaded) => {
      const { events } = webhookEndpointDecider.decide({ type: 'disable', reason }, fold(webhookEndpointDecider, loaded.stream(endpoint)));
      return { commit: commitOn(loaded, by, { writes: [{ streamId: endpoint, events }] }), outcome: null };
    },
  });
  return appended !== null;
};
