import { type EndpointId, type WebhookEndpointRefusal, webhookEndpointDecider } from '@grantlog/domain';
import { fold, type PlatformId } from '@grantlog/eventsourcing';
import type { Changed } from './change.ts';
import { change } from './change.ts';
import type { By, Provisioning } from './provisioning.ts';
import { recoveryOver } from './recovery-over.ts';

/** Ends a recovery; one that is over already stays as it is. What it has made due goes out all the same. */
export const cancelRecovery = (
  context: Pick<Provisioning, 'log' | 'pool'>,
  by: By,
  task: { readonly platform: PlatformId; readonly endpoint: EndpointId; readonly recoveryId: string },
): Promise<Changed<WebhookEndpointRefusal>> => {
  const { platform, endpoint, recoveryId } = task;
  return change<WebhookEndpointRefusal>(context, by, {
    platform,
    requests: [{ streamId: endpoint }],
    decide: async (loaded) => {
      const state = fold(webhookEndpointDecider, loaded.stream(endpoint));
      if ((await recoveryOver(context.pool, { platform, endpoint, state })) === recoveryId) return { writes: [] };
      const { events, refusal } = webhookEndpointDecider.decide({ type: 'cancelRecovery', recoveryId }, state);
      return refusal === undefined ? { writes: [{ streamId: endpoint, events }] } : { refusal };
    },
  });
};
